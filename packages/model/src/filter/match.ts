import { quote } from "../go-text.ts";
import { compileRegexp } from "../regexp.ts";
import { formatTime } from "../time.ts";
import type { Expression } from "./expression.ts";
import { type FieldType, typeName } from "./field-type.ts";
import { unusable } from "./selector.ts";

type Match = Extract<Expression, { kind: "match" }>;
type Test = (value: unknown) => boolean;

/** The answer of each operator where there is no value: a map without the key, or an object that is null. */
export const WITHOUT_VALUE: Readonly<Record<Match["operator"], boolean>> = {
  equal: false,
  in: false,
  matches: false,
  empty: true,
};

/** Tests a value that is there, negation aside. Throws `invalid` where the operator does not go with the type. */
export function compileMatch(match: Match, type: FieldType): Test {
  switch (match.operator) {
    case "equal":
      return equal(type, match.raw);
    case "in":
      return contains(type, match);
    case "matches":
      return matches(type, match.raw);
    case "empty":
      return empty(type, match);
  }
}

function equal(type: FieldType, raw: string): Test {
  switch (type.kind) {
    case "string":
      return (value) => value === raw;
    case "time":
      return (value) => formatTime(value as number) === raw;
    case "any":
      return equalToAny(raw);
    case "bool":
    case "int":
    case "uint":
    case "float": {
      const wanted = COERCE[type.kind](raw);
      if (typeof wanted === "string") throw unusable(`error getting match value in expression: ${wanted}`);
      return (value) => value === wanted;
    }
    default:
      throw unusable("unable to find suitable primitive comparison function for matching");
  }
}

/** Free-form JSON: the value's own type says how the text is read; one that cannot be read so is unequal. */
function equalToAny(raw: string): Test {
  const number = COERCE.float(raw);
  const bool = COERCE.bool(raw);
  return (value) => {
    if (typeof value === "string") return value === raw;
    if (typeof value === "number") return value === number;
    return typeof value === "boolean" && value === bool;
  };
}

function contains(type: FieldType, { selector, raw }: Match): Test {
  switch (type.kind) {
    case "string":
      return (value) => (value as string).includes(raw);
    case "map":
      return (value) => Object.hasOwn(value as object, raw);
    case "list": {
      const isWanted = equal(type.of, raw);
      return (value) => (value as unknown[]).some(isWanted);
    }
    case "any": {
      const isWanted = equalToAny(raw);
      return (value) => {
        if (typeof value === "string") return value.includes(raw);
        if (Array.isArray(value)) return value.some(isWanted);
        return typeof value === "object" && value !== null && Object.hasOwn(value, raw);
      };
    }
    default: {
      const what = `in/contains operations on type ${typeName(type)} for selector: ${quote(selector.text)}`;
      throw unusable(`Cannot perform ${what}`);
    }
  }
}

function matches(type: FieldType, raw: string): Test {
  if (!["string", "bytes", "time", "any"].includes(type.kind)) {
    throw unusable(`Value of type ${typeName(type)} is not convertible to []byte`);
  }
  const compiled = compileRegexp(raw);
  if ("error" in compiled) throw unusable(`Failed to compile regular expression ${quote(raw)}: ${compiled.error}`);
  if (type.kind === "bytes") return (value) => compiled.matches(new TextDecoder().decode(value as Uint8Array));
  if (type.kind === "time") return (value) => compiled.matches(formatTime(value as number));
  return (value) => typeof value === "string" && compiled.matches(value);
}

function empty(type: FieldType, { selector }: Match): Test {
  switch (type.kind) {
    case "string":
    case "list":
    case "bytes":
      return (value) => (value as { length: number }).length === 0;
    case "map":
      return isEmptyObject;
    // One that is there is not empty.
    case "message":
      return () => false;
    case "any":
      return (value) => value === "" || (typeof value === "object" && value !== null && isEmptyObject(value));
    default: {
      const what = `is empty operations on type ${typeName(type)} for selector: ${quote(selector.text)}`;
      throw unusable(`Cannot perform ${what}`);
    }
  }
}

function isEmptyObject(value: unknown): boolean {
  for (const _ in value as object) return false;
  return true;
}

/** A value from its text, or why the text is none, as Go's strconv says it. */
const COERCE = {
  bool(raw: string): boolean | string {
    if (["1", "t", "T", "TRUE", "true", "True"].includes(raw)) return true;
    if (["0", "f", "F", "FALSE", "false", "False"].includes(raw)) return false;
    return invalidSyntax("ParseBool", raw);
  },
  int(raw: string): number | string {
    return integer("ParseInt", raw, /^[+-]?\d+$/, -(2 ** 63), 2 ** 63);
  },
  uint(raw: string): number | string {
    return integer("ParseUint", raw, /^\d+$/, 0, 2 ** 64);
  },
  float(raw: string): number | string {
    return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(raw) ? Number(raw) : invalidSyntax("ParseFloat", raw);
  },
} as const;

/** Also in the other bases that Go's literals have: `0x10`, `0o7`, `0b1`. */
function integer(parser: string, raw: string, pattern: RegExp, least: number, below: number): number | string {
  const based = /^0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$/.test(raw);
  if (!based && !pattern.test(raw)) return invalidSyntax(parser, raw);
  const value = Number(raw);
  // -0 is 0.
  if (value >= least && value < below) return value + 0;
  return `strconv.${parser}: parsing ${quote(raw)}: value out of range`;
}

function invalidSyntax(parser: string, raw: string): string {
  return `strconv.${parser}: parsing ${quote(raw)}: invalid syntax`;
}
