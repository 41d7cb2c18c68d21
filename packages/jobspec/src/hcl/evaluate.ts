import { SteppeError } from "@steppe/model";
import type { BinaryOperator, Expression, ForExpression, Step, TemplatePart } from "./ast.ts";
import type { HclFunction } from "./functions.ts";
import { errorAt, type Place, PlacedError } from "./source.ts";
import {
  describe,
  equal,
  isList,
  isObject,
  sortedKeys,
  toBool,
  toInteger,
  toList,
  toNumber,
  toText,
  type Value,
} from "./value.ts";

/** What names mean. A function or variable that is not there is an error at its place. */
export interface Scope {
  readonly variables: ReadonlyMap<string, Value>;
  readonly functions: ReadonlyMap<string, HclFunction>;
  /** What may still be spent with it and with the scopes made of it. Without one: anything. */
  readonly budget?: Budget;
}

/** An expression costs 1, and so do 8 items or 64 characters that a function or a template makes. */
export interface Budget {
  left: number;
}

export const EMPTY_SCOPE: Scope = { variables: new Map(), functions: new Map() };

/**
 * The value of an expression. Pure. Recursion is as deep as the source is nested, which the parser limits.
 * @throws SteppeError `invalid` with the place of the part that has no value
 */
export function evaluate(expression: Expression, scope: Scope): Value {
  spend(scope, 1, expression.at);
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "parentheses":
      return evaluate(expression.inner, scope);
    case "template":
      return evaluateTemplate(expression.parts, scope, expression.at);
    case "tuple":
      return expression.items.map((item) => evaluate(item, scope));
    case "object":
      return Object.fromEntries(
        expression.entries.map(({ key, value }) => [
          at(key, () => toText(evaluate(key, scope))),
          evaluate(value, scope),
        ]),
      );
    case "variable":
      return lookUp(expression.name, scope, expression.at);
    case "traversal":
      return walk(evaluate(expression.target, scope), expression.steps, scope);
    case "call":
      return call(expression, scope);
    case "unary":
      return at(expression, () => {
        const operand = evaluate(expression.operand, scope);
        return expression.operator === "!" ? !toBool(operand) : 0 - toNumber(operand);
      });
    case "binary":
      return expression.rest.reduce(
        (left, { operator, operand }) => operate(left, operator, operand, scope),
        evaluate(expression.first, scope),
      );
    case "conditional":
      return at(expression.condition, () => toBool(evaluate(expression.condition, scope)))
        ? evaluate(expression.yes, scope)
        : evaluate(expression.no, scope);
    case "for":
      return evaluateFor(expression, scope);
  }
}

function spend({ budget }: Scope, cost: number, place: Place): void {
  if (budget === undefined) return;
  budget.left -= cost;
  if (budget.left < 0) refuse(place, "too much to evaluate; nested loops may go through too many items");
}

function costOf(value: Value): number {
  if (typeof value === "string") return value.length / 64;
  return isList(value) ? value.length / 8 : 0;
}

/** Gives errors that have no place yet this one. */
function at<T>(node: { readonly at: Place }, compute: () => T, context = ""): T {
  try {
    return compute();
  } catch (cause) {
    if (!(cause instanceof SteppeError) || cause instanceof PlacedError) throw cause;
    throw errorAt(node.at, context + cause.message, { cause });
  }
}

function refuse(place: Place, message: string): never {
  throw errorAt(place, message);
}

function lookUp(name: string, scope: Scope, place: Place): Value {
  const value = scope.variables.get(name);
  if (value === undefined) return refuse(place, `unknown variable "${name}"`);
  return value;
}

function call(expression: Expression & { kind: "call" }, scope: Scope): Value {
  const { name } = expression;
  if (name === "try" || name === "can") return attempt(name, expression, scope);
  const implementation = scope.functions.get(name);
  if (implementation === undefined) return refuse(expression.at, `unknown function "${name}"`);
  const args = expression.args.map((arg) => evaluate(arg, scope));
  const result = at(
    expression,
    () => {
      const last = expression.expandLast ? toList(args.pop() ?? null) : [];
      return withinMemory(() => implementation([...args, ...last]));
    },
    `${name}: `,
  );
  spend(scope, costOf(result), expression.at);
  return result;
}

/** Strings and lists of one value end somewhere; the engine throws RangeError there. */
function withinMemory<T>(compute: () => T): T {
  try {
    return compute();
  } catch (cause) {
    if (cause instanceof RangeError) throw new SteppeError("invalid", "the result is too large", { cause });
    throw cause;
  }
}

/** The two functions whose arguments may fail: `try` gives the first that does not, `can` whether one does not. */
function attempt(name: "try" | "can", { args, at }: Expression & { kind: "call" }, scope: Scope): Value {
  for (const arg of args) {
    try {
      const value = evaluate(arg, scope);
      return name === "can" ? true : value;
    } catch (error) {
      if (!(error instanceof SteppeError)) throw error;
    }
  }
  return name === "can" ? false : refuse(at, "try: no argument has a value");
}

function operate(left: Value, operator: BinaryOperator, operand: Expression, scope: Scope): Value {
  return at(operand, () => {
    if (operator === "&&") return toBool(left) && toBool(evaluate(operand, scope));
    if (operator === "||") return toBool(left) || toBool(evaluate(operand, scope));
    const right = evaluate(operand, scope);
    if (operator === "==") return equal(left, right);
    if (operator === "!=") return !equal(left, right);
    return arithmetic(toNumber(left), operator, toNumber(right));
  });
}

function arithmetic(left: number, operator: Exclude<BinaryOperator, "&&" | "||" | "==" | "!=">, right: number): Value {
  if (right === 0 && (operator === "/" || operator === "%")) throw new SteppeError("invalid", "division by zero");
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

function walk(target: Value, steps: readonly Step[], scope: Scope): Value {
  return steps.reduce((value, step) => take(value, step, scope), target);
}

function take(value: Value, step: Step, scope: Scope): Value {
  switch (step.kind) {
    case "attribute":
      return member(value, step.name, step.at);
    case "index":
      return element(value, evaluate(step.key, scope), step.at);
    case "splat":
      return splat(value).map((item) => walk(item, step.steps, scope));
  }
}

/** A splat over something that is no list takes it as a list of one, and null as none. */
function splat(value: Value): readonly Value[] {
  if (isList(value)) return value;
  return value === null ? [] : [value];
}

function member(value: Value, name: string, place: Place): Value {
  if (!isObject(value)) return refuse(place, `${describe(value)} has no attribute "${name}"`);
  return Object.hasOwn(value, name) ? (value[name] ?? null) : refuse(place, `the object has no attribute "${name}"`);
}

function element(value: Value, key: Value, place: Place): Value {
  if (isObject(value))
    return member(
      value,
      at({ at: place }, () => toText(key)),
      place,
    );
  if (!isList(value)) return refuse(place, `${describe(value)} cannot be indexed`);
  const index = at({ at: place }, () => toInteger(key));
  const found = value[index];
  return found === undefined ? refuse(place, `index ${index} is outside the list of ${value.length}`) : found;
}

type Pair = readonly [key: Value, value: Value];

function pairsOf(value: Value, place: Place): readonly Pair[] {
  if (isList(value)) return value.map((item, i) => [i, item]);
  if (isObject(value)) return sortedKeys(value).map((key) => [key, value[key] ?? null]);
  return refuse(place, `expected a list or an object to go through, got ${describe(value)}`);
}

function withLoopVariables(
  scope: Scope,
  loop: { keyName: string | undefined; valueName: string },
  [key, value]: Pair,
): Scope {
  const variables = new Map(scope.variables);
  if (loop.keyName !== undefined) variables.set(loop.keyName, key);
  variables.set(loop.valueName, value);
  return { ...scope, variables };
}

function evaluateFor(loop: ForExpression & { readonly at: Place }, scope: Scope): Value {
  const { condition, key } = loop;
  const scopes = pairsOf(evaluate(loop.collection, scope), loop.collection.at)
    .map((pair) => withLoopVariables(scope, loop, pair))
    .filter((inner) => condition === undefined || at(condition, () => toBool(evaluate(condition, inner))));
  if (key === undefined) return scopes.map((inner) => evaluate(loop.value, inner));
  const results = new Map<string, Value[]>();
  for (const inner of scopes) {
    const name = at(key, () => toText(evaluate(key, inner)));
    const values = results.get(name) ?? [];
    if (values.length > 0 && !loop.grouped)
      refuse(key.at, `key "${name}" comes twice; write "..." after the value to group`);
    results.set(name, [...values, evaluate(loop.value, inner)]);
  }
  return Object.fromEntries([...results].map(([name, values]) => [name, loop.grouped ? values : (values[0] ?? null)]));
}

function evaluateTemplate(parts: readonly TemplatePart[], scope: Scope, place: Place): Value {
  const [only] = parts;
  // "${x}" alone is x itself, of whatever kind.
  if (parts.length === 1 && only?.kind === "interpolation") return evaluate(only.value, scope);
  const text = at({ at: place }, () => withinMemory(() => render(parts, scope, place)));
  spend(scope, costOf(text), place);
  return text;
}

function render(parts: readonly TemplatePart[], scope: Scope, place: Place): string {
  return parts.map((part) => renderPart(part, scope, place)).join("");
}

function renderPart(part: TemplatePart, scope: Scope, place: Place): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "interpolation":
      return at(part.value, () => toText(evaluate(part.value, scope)));
    case "if": {
      const holds = at(part.condition, () => toBool(evaluate(part.condition, scope)));
      return render(holds ? part.yes : part.no, scope, place);
    }
    case "for":
      return pairsOf(evaluate(part.collection, scope), part.collection.at)
        .map((pair) => render(part.body, withLoopVariables(scope, part, pair), place))
        .join("");
  }
}
