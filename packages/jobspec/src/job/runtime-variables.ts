import type { Expression, Step, TemplatePart } from "../hcl/ast.ts";

/**
 * Node agents fill in `${attr.kernel.name}` and their like when a task starts. So a reference in a
 * text whose first name the file does not know stays as it is written.
 */
export function keepRuntimeVariables(expression: Expression, known: (name: string) => boolean): Expression {
  const keep = (inner: Expression): Expression => keepRuntimeVariables(inner, known);
  switch (expression.kind) {
    case "literal":
    case "variable":
      return expression;
    case "template":
      return { ...expression, parts: expression.parts.map((part) => keepInPart(part, known)) };
    case "tuple":
      return { ...expression, items: expression.items.map(keep) };
    case "object": {
      const entries = expression.entries.map(({ key, value }) => ({ key: keep(key), value: keep(value) }));
      return { ...expression, entries };
    }
    case "traversal":
      return { ...expression, target: keep(expression.target) };
    case "call":
      return { ...expression, args: expression.args.map(keep) };
    case "unary":
      return { ...expression, operand: keep(expression.operand) };
    case "binary": {
      const rest = expression.rest.map(({ operator, operand }) => ({ operator, operand: keep(operand) }));
      return { ...expression, first: keep(expression.first), rest };
    }
    case "conditional": {
      const { condition, yes, no } = expression;
      return { ...expression, condition: keep(condition), yes: keep(yes), no: keep(no) };
    }
    case "for": {
      const { keyName, valueName, key, value, condition } = expression;
      const inside = (name: string) => name === keyName || name === valueName || known(name);
      const keepInside = (it: Expression) => keepRuntimeVariables(it, inside);
      return {
        ...expression,
        collection: keep(expression.collection),
        key: key && keepInside(key),
        value: keepInside(value),
        condition: condition && keepInside(condition),
      };
    }
    case "parentheses":
      return { ...expression, inner: keep(expression.inner) };
  }
}

function keepInPart(part: TemplatePart, known: (name: string) => boolean): TemplatePart {
  switch (part.kind) {
    case "text":
      return part;
    case "interpolation": {
      const text = referenceText(part.value, known);
      if (text !== undefined) return { kind: "text", text: `\${${text}}` };
      return { kind: "interpolation", value: keepRuntimeVariables(part.value, known) };
    }
    case "if": {
      const [yes, no] = [part.yes, part.no].map((parts) => parts.map((it) => keepInPart(it, known)));
      return { ...part, condition: keepRuntimeVariables(part.condition, known), yes: yes ?? [], no: no ?? [] };
    }
    case "for": {
      const inside = (name: string) => name === part.keyName || name === part.valueName || known(name);
      const body = part.body.map((it) => keepInPart(it, inside));
      return { ...part, collection: keepRuntimeVariables(part.collection, known), body };
    }
  }
}

/** As it was written; undefined for what is no plain reference, or begins with a known name. */
function referenceText(expression: Expression, known: (name: string) => boolean): string | undefined {
  if (expression.kind === "variable") return known(expression.name) ? undefined : expression.name;
  if (expression.kind !== "traversal") return undefined;
  const target = referenceText(expression.target, known);
  if (target === undefined) return undefined;
  const steps = expression.steps.map(stepText);
  return steps.includes(undefined) ? undefined : target + steps.join("");
}

function stepText(step: Step): string | undefined {
  if (step.kind === "attribute") return `.${step.name}`;
  if (step.kind !== "index") return undefined;
  const { key } = step;
  if (key.kind === "literal") return `[${JSON.stringify(key.value)}]`;
  const [only] = key.kind === "template" ? key.parts : [];
  return key.kind === "template" && key.parts.length === 1 && only?.kind === "text"
    ? `[${JSON.stringify(only.text)}]`
    : undefined;
}
