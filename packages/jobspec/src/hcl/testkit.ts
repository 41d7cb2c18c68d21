// For tests: expressions in a scope.
import { SteppeError } from "@steppe/model";
import { evaluate, type Scope } from "./evaluate.ts";
import { parseHclExpression } from "./parse.ts";
import type { Value } from "./value.ts";

export interface Evaluating {
  evaluated(source: string): Value;
  /** First line of what is wrong with it. */
  errorOf(source: string): string;
}

export function evaluating(scope: Scope): Evaluating {
  const evaluated = (source: string) => evaluate(parseHclExpression(source, "e.hcl"), scope);
  return {
    evaluated,
    errorOf(source) {
      try {
        evaluated(source);
      } catch (error) {
        if (error instanceof SteppeError) return error.message.split("\n")[0] ?? "";
        throw error;
      }
      return "no error";
    },
  };
}
