import type { Binding, Expression } from "./expression.ts";
import type { FieldType } from "./field-type.ts";
import { compileMatch, WITHOUT_VALUE } from "./match.ts";
import { parseExpression } from "./parse.ts";
import { resolveSelector, type Scope, type Target, unusable, withoutWrapper } from "./selector.ts";

/** What a list's filter is applied to: items that have the fields of a message of the contract. */
export interface FilterSubject<T> {
  readonly message: string;
  /** Of fields that the items do not have as they are, or not cheaply. */
  readonly fields?: Readonly<Record<string, (item: T) => unknown>>;
}

type Test = (item: unknown, locals: readonly unknown[]) => boolean;

/**
 * A filter expression as a function, made once for a whole list. Throws `invalid` with the API's
 * texts for one that cannot be read, names an unknown field, or compares what cannot be compared.
 * An object on the way that is null, and an index beyond a list, are as a key that a map has not.
 */
export function compileFilter<T>(expression: string, subject: FilterSubject<T>): (item: T) => boolean {
  const scope: Scope = { message: subject.message, fields: subject.fields ?? {}, names: [] };
  const test = compile(parseExpression(expression), scope, 0);
  const none: readonly unknown[] = [];
  return (item) => test(item, none);
}

/** `depth`: how many locals are in scope, and so where the next one goes. */
function compile(expression: Expression, scope: Scope, depth: number): Test {
  switch (expression.kind) {
    case "and":
    case "or": {
      const operands = expression.operands.map((operand) => compile(operand, scope, depth));
      return expression.kind === "and"
        ? (item, locals) => operands.every((test) => test(item, locals))
        : (item, locals) => operands.some((test) => test(item, locals));
    }
    case "not": {
      const operand = compile(expression.operand, scope, depth);
      return (item, locals) => !operand(item, locals);
    }
    case "match": {
      const { get, type } = resolveSelector(expression.selector, scope);
      const test = compileMatch(expression, type);
      const { negated } = expression;
      const without = WITHOUT_VALUE[expression.operator] !== negated;
      return (item, locals) => {
        const value = get(item, locals);
        return value === undefined || value === null ? without : test(value) !== negated;
      };
    }
    default:
      return compileCollection(expression, scope, depth);
  }
}

/** Of nothing, `all` holds and `any` does not. */
function compileCollection(
  { kind, selector, binding, inner }: Extract<Expression, { kind: "any" | "all" }>,
  scope: Scope,
  depth: number,
): Test {
  const { get, type } = resolveSelector(selector, scope);
  if (type.kind !== "list" && type.kind !== "map" && type.kind !== "any") {
    throw unusable(`${selector.text} is not a list or a map`);
  }
  const names = [...scope.names, ...namesOf(binding, type, depth)];
  const test = compile(inner, { ...scope, names }, depth + 2);
  const isAll = kind === "all";
  return (item, outer) => {
    const value = get(item, outer);
    if (typeof value !== "object" || value === null) return isAll;
    const locals = [...outer];
    for (const [key, entry] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      locals[depth] = key;
      locals[depth + 1] = entry;
      if (test(item, locals) !== isAll) return !isAll;
    }
    return isAll;
  };
}

function namesOf({ one, index, value }: Binding, type: FieldType, depth: number): Scope["names"] {
  const key: Target = { type: { kind: type.kind === "list" ? "int" : "string" }, get: (_, locals) => locals[depth] };
  const of = type.kind === "list" || type.kind === "map" ? type.of : type;
  const entry = withoutWrapper({ type: of, get: (_, locals) => locals[depth + 1] });
  return [
    ...(one === undefined ? [] : [{ name: one, target: type.kind === "map" ? key : entry }]),
    ...(index === undefined ? [] : [{ name: index, target: key }]),
    ...(value === undefined ? [] : [{ name: value, target: entry }]),
  ];
}
