import { parseDuration, SteppeError } from "@steppe/model";
import type { Expression } from "../hcl/ast.ts";
import { evaluate, type Scope } from "../hcl/evaluate.ts";
import { errorAt, type Place, PlacedError } from "../hcl/source.ts";
import { describe, isList, isObject, toBool, toInteger, toText, type Value } from "../hcl/value.ts";
import { keepRuntimeVariables } from "./runtime-variables.ts";
import type { AttributeType } from "./schema.ts";

/** The value of an expression of a job file: references that only nodes can fill in stay as they are. */
export function jobValue(expression: Expression, scope: Scope): Value {
  return evaluate(
    keepRuntimeVariables(expression, (name) => scope.variables.has(name)),
    scope,
  );
}

/** The value in the form that JSON has it in; undefined for null, which sets nothing. */
export function readValue(name: string, value: Value, type: AttributeType, at: Place): unknown {
  if (value === null) return undefined;
  try {
    return READ[type](value);
  } catch (cause) {
    if (!(cause instanceof SteppeError) || cause instanceof PlacedError) throw cause;
    throw errorAt(at, `${name}: ${cause.message}`, { cause });
  }
}

const READ: Readonly<Record<AttributeType, (value: Value) => unknown>> = {
  string: toText,
  int: toInteger,
  bool: toBool,
  duration,
  strings: (value) => listOf(value).map(toText),
  ints: (value) => listOf(value).map(toInteger),
  texts: (value) => mapOf(value, toText),
  lists: (value) => mapOf(value, (item) => (isList(item) ? item.map(toText) : [toText(item)])),
  free: (value) => value,
};

function duration(value: Value): number {
  if (typeof value === "number") return toInteger(value);
  const text = toText(value);
  const nanoseconds = /^-?\d+$/.test(text) ? Number(text) : parseDuration(text);
  if (nanoseconds !== undefined) return nanoseconds;
  throw new SteppeError("invalid", `expected a duration such as "30s" or "1h15m", got ${JSON.stringify(text)}`);
}

function listOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  throw new SteppeError("invalid", `expected a list, got ${describe(value)}`);
}

/** Null entries are left out. */
function mapOf<T>(value: Value, of: (item: Value) => T): Record<string, T> {
  if (!isObject(value)) throw new SteppeError("invalid", `expected a map, got ${describe(value)}`);
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, of(item)] as const));
}
