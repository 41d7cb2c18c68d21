import type { Attribute, Body, Expression, Step, TemplatePart } from "../hcl/ast.ts";
import { evaluate, type Scope } from "../hcl/evaluate.ts";
import { BodyReader } from "../hcl/reader.ts";
import { errorAt } from "../hcl/source.ts";
import type { Value } from "../hcl/value.ts";

/**
 * The scope with the file's `local` values. They may refer to each other in any order, but not in a
 * circle. They know what nodes fill in as little as variables do.
 */
export function withLocals(file: Body, scope: Scope): Scope {
  const attributes = new Map<string, Attribute>();
  for (const { body } of new BodyReader(file).blocks("locals")) {
    for (const attribute of body.attributes.values()) {
      if (attributes.has(attribute.name)) throw errorAt(attribute.at, `local "${attribute.name}" is set twice`);
      attributes.set(attribute.name, attribute);
    }
    for (const { at } of body.blocks) throw errorAt(at, "locals are options only: name = value");
  }
  const values = new Map<string, Value>();
  const open = new Set<string>();
  const settle = (name: string): void => {
    const attribute = attributes.get(name);
    if (attribute === undefined || values.has(name)) return;
    if (open.has(name)) throw errorAt(attribute.at, `local "${name}" depends on itself`);
    open.add(name);
    for (const other of localsIn(attribute.value)) settle(other);
    values.set(name, evaluate(attribute.value, withLocal(scope, values)));
  };
  for (const name of attributes.keys()) settle(name);
  return withLocal(scope, values);
}

function withLocal(scope: Scope, values: ReadonlyMap<string, Value>): Scope {
  return { ...scope, variables: new Map([...scope.variables, ["local", Object.fromEntries(values)]]) };
}

/** Names that follow `local.` anywhere in an expression. */
function* localsIn(expression: Expression): Generator<string> {
  if (expression.kind === "traversal" && expression.target.kind === "variable" && expression.target.name === "local") {
    const [first] = expression.steps;
    if (first?.kind === "attribute") yield first.name;
  }
  for (const part of partsOf(expression)) yield* localsIn(part);
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "variable":
      return [];
    case "template":
      return expression.parts.flatMap(expressionsIn);
    case "tuple":
      return expression.items;
    case "object":
      return expression.entries.flatMap(({ key, value }) => [key, value]);
    case "traversal":
      return [expression.target, ...expression.steps.flatMap(expressionsOfStep)];
    case "call":
      return expression.args;
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.first, ...expression.rest.map(({ operand }) => operand)];
    case "conditional":
      return [expression.condition, expression.yes, expression.no];
    case "for":
      return [expression.collection, expression.key, expression.value, expression.condition].filter(
        (it) => it !== undefined,
      );
    case "parentheses":
      return [expression.inner];
  }
}

function expressionsOfStep(step: Step): Expression[] {
  if (step.kind === "index") return [step.key];
  return step.kind === "splat" ? step.steps.flatMap(expressionsOfStep) : [];
}

function expressionsIn(part: TemplatePart): Expression[] {
  switch (part.kind) {
    case "text":
      return [];
    case "interpolation":
      return [part.value];
    case "if":
      return [part.condition, ...part.yes.flatMap(expressionsIn), ...part.no.flatMap(expressionsIn)];
    case "for":
      return [part.collection, ...part.body.flatMap(expressionsIn)];
  }
}
