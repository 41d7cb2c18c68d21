import { parseArgs } from "node:util";

export type CommandLine = readonly string[];

/** The command line makes no sense; the usage is printed with it. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

export type FlagKind = "switch" | "text" | "number" | "list";

type FlagValue<K extends FlagKind> = K extends "switch"
  ? boolean
  : K extends "number"
    ? number | undefined
    : K extends "list"
      ? readonly string[]
      : string | undefined;

/**
 * Reads flags as operators of Nomad write them: `-name value`, `-name=value`, also with two dashes.
 * A list may be given several times and with commas. Throws `UsageError` on what it does not know.
 */
export function readFlags<const F extends Readonly<Record<string, FlagKind>>>(
  args: CommandLine,
  flags: F,
): { readonly [Name in keyof F]: FlagValue<F[Name]> } {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, kind]) => [
      name,
      { type: kind === "switch" ? ("boolean" as const) : ("string" as const), multiple: kind === "list" },
    ]),
  );
  const values = parse(args.map(doubleDash), options);
  const read = ([name, kind]: [string, FlagKind]) => [name, flagValue(name, kind, values[name])];
  return Object.fromEntries(Object.entries(flags).map(read)) as { [Name in keyof F]: FlagValue<F[Name]> };
}

function parse(args: string[], options: NonNullable<Parameters<typeof parseArgs>[0]>["options"] & object) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values as Record<string, unknown>;
  } catch (error) {
    throw new UsageError((error as Error).message.replaceAll("'--", "'-").replace(/\. To specify.*$/s, ""));
  }
}

/** `-name` is `--name`; `-1` and a lone dash are values. `-switch=true` is `-switch`. */
function doubleDash(arg: string): string {
  const dashed = /^-[a-zA-Z]/.test(arg) ? `-${arg}` : arg;
  return dashed.replace(/^(--[\w-]+)=true$/, "$1");
}

function flagValue(name: string, kind: FlagKind, value: unknown): unknown {
  switch (kind) {
    case "switch":
      return value === true;
    case "list":
      return ((value as string[] | undefined) ?? []).flatMap((part) => part.split(",")).filter((part) => part !== "");
    case "number":
      return value === undefined ? undefined : numberOf(name, value as string);
    case "text":
      return value;
  }
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (text === "" || !Number.isFinite(number) || number < 0) {
    throw new UsageError(`-${name} needs a number, got ${JSON.stringify(text)}`);
  }
  return number;
}
