import { toInteger, toList, toNumber, toText, type Value } from "../value.ts";
import { toJsonText } from "./encoding.ts";
import { type FunctionTable, MANY, refuse, taking } from "./function.ts";

export const TEXT_FUNCTIONS: FunctionTable = {
  upper: taking(1, 1, (text = null) => toText(text).toUpperCase()),
  lower: taking(1, 1, (text = null) => toText(text).toLowerCase()),
  title: taking(1, 1, (text = null) =>
    toText(text).replace(/(?<![\p{L}\p{N}_'])\p{Ll}/gu, (letter) => letter.toUpperCase()),
  ),
  trimspace: taking(1, 1, (text = null) => toText(text).trim()),
  tostring: taking(1, 1, (value = null) => (value === null ? null : toText(value))),
  tonumber: taking(1, 1, (value = null) => (value === null ? null : toNumber(value))),
  split: taking(2, 2, (separator = null, text = null) => {
    const whole = toText(text);
    return whole === "" ? [] : whole.split(toText(separator));
  }),
  join: taking(2, MANY, (separator = null, ...lists) =>
    lists.flatMap((list) => toList(list).map(toText)).join(toText(separator)),
  ),
  replace: taking(3, 3, (text = null, search = null, by = null) => toText(text).split(toText(search)).join(toText(by))),
  substr: taking(3, 3, (text = null, offset = null, length = null) =>
    substr(toText(text), toInteger(offset), toInteger(length)),
  ),
  format: taking(1, MANY, (pattern = null, ...args) => format(toText(pattern), args)),
};

/** Counts characters, not UTF-16 units. A negative offset counts from the end; length -1 means to the end. */
function substr(text: string, offset: number, length: number): string {
  const characters = [...text];
  const start = offset < 0 ? Math.max(0, characters.length + offset) : offset;
  return characters.slice(start, length < 0 ? undefined : start + length).join("");
}

/** The verbs of Go's fmt that make sense here: %s %v %q %d %f %g %e %x %X %b %o %t %%, with flags, width, precision. */
function format(pattern: string, args: readonly Value[]): string {
  let used = 0;
  const text = pattern.replace(
    /%([-+0 ]*)(\d*)(?:\.(\d+))?(.)/gsu,
    (_, flags: string, width: string, precision: string, verb: string) => {
      if (verb === "%") return "%";
      const value = args[used++];
      if (value === undefined) return refuse(`the format asks for ${used} values, got ${args.length}`);
      const digits = precision === undefined ? undefined : Math.min(Number(precision), 100);
      return pad(formatVerb(verb, value, digits, flags), flags, Math.min(Number(width), 10_000), verb);
    },
  );
  if (used < args.length) return refuse(`the format uses ${used} values, got ${args.length}`);
  return text;
}

function formatVerb(verb: string, value: Value, precision: number | undefined, flags: string): string {
  const signed = (n: number, digits: string) => (n < 0 ? "-" : flags.includes("+") ? "+" : "") + digits;
  switch (verb) {
    case "s":
      return toText(value).slice(0, precision);
    case "v":
      return typeof value === "object" ? toJsonText(value) : toText(value);
    case "q":
      return JSON.stringify(toText(value));
    case "t":
      return toText(value);
    case "d":
      return signed(toInteger(value), toText(Math.abs(toInteger(value))));
    case "f":
      return signed(toNumber(value), Math.abs(toNumber(value)).toFixed(precision ?? 6));
    case "e":
      return signed(toNumber(value), Math.abs(toNumber(value)).toExponential(precision ?? 6));
    case "g":
      return signed(toNumber(value), String(Math.abs(toNumber(value))));
    case "x":
    case "X": {
      const digits = typeof value === "number" ? Math.abs(toInteger(value)).toString(16) : hex(toText(value));
      return signed(typeof value === "number" ? value : 0, verb === "X" ? digits.toUpperCase() : digits);
    }
    case "b":
      return signed(toInteger(value), Math.abs(toInteger(value)).toString(2));
    case "o":
      return signed(toInteger(value), Math.abs(toInteger(value)).toString(8));
    default:
      return refuse(`unknown format verb "%${verb}"`);
  }
}

function hex(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pad(text: string, flags: string, width: number, verb: string): string {
  if (flags.includes("-")) return text.padEnd(width);
  if (!flags.includes("0") || "svqt".includes(verb)) return text.padStart(width);
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}
