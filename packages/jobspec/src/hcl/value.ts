import { SteppeError } from "@steppe/model";

/** What an expression evaluates to. Objects have own enumerable keys only; make them with `Object.fromEntries`. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isObject(value: Value): value is { readonly [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind in the words of an error: "a number", "a list". */
export function describe(value: Value): string {
  if (value === null) return "null";
  if (isList(value)) return "a list";
  if (isObject(value)) return "an object";
  return typeof value === "boolean" ? "a bool" : `a ${typeof value}`;
}

function refuse(wanted: string, value: Value): never {
  throw new SteppeError("invalid", `expected ${wanted}, got ${describe(value)}`);
}

/** Numbers and bools become strings, as everywhere in HCL. */
export function toText(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") return refuse("a string", value);
  // HCL writes large whole numbers out; JavaScript would switch to an exponent.
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

export function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value.trim())) return Number(value);
  return refuse("a number", value);
}

export function toInteger(value: Value): number {
  const number = toNumber(value);
  return Number.isInteger(number) ? number : refuse("a whole number", value);
}

export function toBool(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  return refuse("a bool", value);
}

export function toList(value: Value): readonly Value[] {
  return isList(value) ? value : refuse("a list", value);
}

export function toObject(value: Value): { readonly [key: string]: Value } {
  return isObject(value) ? value : refuse("an object", value);
}

/** Keys of an object in the order HCL walks them: lexicographic. */
export function sortedKeys(value: { readonly [key: string]: Value }): string[] {
  return Object.keys(value).sort();
}

/** Deep equality; values of different kinds differ, `1` and `"1"` too. */
export function equal(a: Value, b: Value): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i] ?? null));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key] ?? null, b[key] ?? null))
  );
}
