import { SteppeError } from "@steppe/model";
import type { Expression } from "../hcl/ast.ts";
import { evaluate, type Scope } from "../hcl/evaluate.ts";
import { parseHclExpression } from "../hcl/parse.ts";
import { errorAt, formatPlace } from "../hcl/source.ts";
import { describe, equal, isList, isObject, toBool, toNumber, toText, type Value } from "../hcl/value.ts";

/** Turns a value into one of a type, or throws SteppeError `invalid` saying what was expected. */
export type Convert = (value: Value) => Value;

/** A type constraint: `string`, `list(number)`, `object({ a = string, b = optional(bool, true) })`, … */
export function typeOf(expression: Expression, scope: Scope): Convert {
  if (expression.kind === "variable") {
    const convert = PRIMITIVES[expression.name];
    if (convert !== undefined) return convert;
    throw errorAt(expression.at, `unknown type "${expression.name}"; one of ${Object.keys(PRIMITIVES).join(", ")}`);
  }
  // As a job file in JSON has it.
  if (expression.kind === "literal" && typeof expression.value === "string") {
    return typeOf(parseHclExpression(expression.value, formatPlace(expression.at)), scope);
  }
  if (expression.kind !== "call") throw errorAt(expression.at, "expected a type such as string or list(string)");
  const [argument, another] = expression.args;
  if (argument === undefined || another !== undefined)
    throw errorAt(expression.at, `${expression.name} takes one type`);
  switch (expression.name) {
    case "list":
      return listOf(typeOf(argument, scope));
    case "set":
      return setOf(typeOf(argument, scope));
    case "map":
      return mapOf(typeOf(argument, scope));
    case "tuple":
      return tupleOf(argument, scope);
    case "object":
      return objectOf(argument, scope);
    default:
      throw errorAt(expression.at, `unknown type "${expression.name}"; one of list, set, map, tuple, object`);
  }
}

const orNull =
  (convert: Convert): Convert =>
  (value) =>
    value === null ? null : convert(value);

const PRIMITIVES: Readonly<Record<string, Convert>> = {
  string: orNull(toText),
  number: orNull(toNumber),
  bool: orNull(toBool),
  any: (value) => value,
  list: orNull((value) => items(value)),
  set: orNull((value) => items(value)),
  map: orNull((value) => members(value)),
};

function refuse(message: string): never {
  throw new SteppeError("invalid", message);
}

function items(value: Value): readonly Value[] {
  return isList(value) ? value : refuse(`expected a list, got ${describe(value)}`);
}

function members(value: Value): { readonly [key: string]: Value } {
  return isObject(value) ? value : refuse(`expected a map, got ${describe(value)}`);
}

const listOf = (of: Convert): Convert => orNull((value) => items(value).map(of));

const setOf = (of: Convert): Convert =>
  orNull((value) => {
    const all = items(value).map(of);
    return all.filter((item, i) => all.findIndex((other) => equal(other, item)) === i);
  });

const mapOf = (of: Convert): Convert =>
  orNull((value) => Object.fromEntries(Object.entries(members(value)).map(([key, item]) => [key, of(item)])));

function tupleOf(argument: Expression, scope: Scope): Convert {
  if (argument.kind !== "tuple") throw errorAt(argument.at, "tuple takes a list of types");
  const types = argument.items.map((item) => typeOf(item, scope));
  return orNull((value) => {
    const given = items(value);
    if (given.length !== types.length) return refuse(`expected ${types.length} items, got ${given.length}`);
    return given.map((item, i) => (types[i] as Convert)(item));
  });
}

interface Member {
  readonly convert: Convert;
  /** What an absent member is; undefined where it must be given. */
  readonly absent: Value | undefined;
}

function objectOf(argument: Expression, scope: Scope): Convert {
  if (argument.kind !== "object") throw errorAt(argument.at, "object takes a map of types");
  const types = new Map(
    argument.entries.map(({ key, value }): [string, Member] => {
      const name = key.kind === "literal" ? String(key.value) : toText(evaluate(key, scope));
      return [name, memberOf(value, scope)];
    }),
  );
  return orNull((value) => {
    const given = members(value);
    return Object.fromEntries(
      [...types].map(([name, { convert, absent }]) => {
        const item = Object.hasOwn(given, name) ? (given[name] ?? null) : undefined;
        if (item !== undefined && (item !== null || absent === undefined)) return [name, convert(item)];
        return [
          name,
          absent ?? (item === undefined && absent === undefined ? refuse(`attribute "${name}" is required`) : null),
        ];
      }),
    );
  });
}

/** `optional(type)` and `optional(type, default)`. */
function memberOf(expression: Expression, scope: Scope): Member {
  if (expression.kind !== "call" || expression.name !== "optional") {
    return { convert: typeOf(expression, scope), absent: undefined };
  }
  const [type, fallback] = expression.args;
  if (type === undefined) throw errorAt(expression.at, "optional takes a type, and may take a default");
  const convert = typeOf(type, scope);
  return { convert, absent: fallback === undefined ? null : convert(evaluate(fallback, scope)) };
}
