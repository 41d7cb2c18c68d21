import { SteppeError } from "@steppe/model";
import type { Value } from "../value.ts";

/** Throws SteppeError `invalid` for arguments it cannot take; the evaluator adds function name and place. */
export type HclFunction = (args: readonly Value[]) => Value;

export type FunctionTable = Readonly<Record<string, HclFunction>>;

export function refuse(message: string): never {
  throw new SteppeError("invalid", message);
}

/** A function of `least` to `most` arguments; those not given are null. */
export function taking(least: number, most: number, compute: (...args: Value[]) => Value): HclFunction {
  return (args) => {
    if (args.length < least || args.length > most) {
      const wanted =
        least === most ? `${least}` : most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`;
      refuse(`takes ${wanted} argument${wanted === "1" ? "" : "s"}, got ${args.length}`);
    }
    return compute(...args, ...Array<null>(Math.max(0, least - args.length)).fill(null));
  };
}

export const MANY = Number.POSITIVE_INFINITY;
