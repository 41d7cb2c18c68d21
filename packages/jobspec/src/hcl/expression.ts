import type { BinaryOperator, Expression, ForExpression, ObjectEntry, Operation, Step } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { errorAt, type Place } from "./source.ts";
import { parseHeredoc, parseQuoted } from "./template.ts";

/** Weakest first; operators of one row bind equally and from the left. */
const PRECEDENCE: readonly (readonly BinaryOperator[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];

export function parseExpression(cursor: Cursor): Expression {
  return cursor.deeper(() => {
    const at = cursor.here();
    const condition = parseBinary(cursor, 0);
    if (!cursor.continues("?")) return condition;
    cursor.take();
    const yes = parseExpression(cursor);
    cursor.expect(":", 'between the two values of a "? :" choice');
    return { kind: "conditional", condition, yes, no: parseExpression(cursor), at };
  });
}

function parseBinary(cursor: Cursor, level: number): Expression {
  const operators = PRECEDENCE[level];
  if (operators === undefined) return parseUnary(cursor);
  const at = cursor.here();
  const first = parseBinary(cursor, level + 1);
  const rest: Operation[] = [];
  for (;;) {
    const operator = operators.find((each) => cursor.continues(each));
    if (operator === undefined) break;
    cursor.take();
    rest.push({ operator, operand: parseBinary(cursor, level + 1) });
  }
  return rest.length === 0 ? first : { kind: "binary", first, rest, at };
}

function parseUnary(cursor: Cursor): Expression {
  const at = cursor.here();
  for (const operator of ["!", "-"] as const) {
    if (!cursor.is(operator)) continue;
    cursor.take();
    return { kind: "unary", operator, operand: cursor.deeper(() => parseUnary(cursor)), at };
  }
  const target = parseTerm(cursor, at);
  const steps = parseSteps(cursor, true);
  return steps.length === 0 ? target : { kind: "traversal", target, steps, at };
}

/** `.name`, `.0`, `[key]`, `.*`, `[*]`. `.*` passes on names only; an index after it is of the whole result. */
function parseSteps(cursor: Cursor, indexes: boolean): Step[] {
  const steps: Step[] = [];
  for (;;) {
    const at = cursor.here();
    if (cursor.continues(".")) steps.push(parseDot(cursor, at));
    else if (indexes && cursor.continues("[")) steps.push(parseBracket(cursor, at));
    else return steps;
  }
}

function parseDot(cursor: Cursor, at: Place): Step {
  // `a.0.1` is two indexes, where the lexer would see the number 0.1.
  const digits = /\d+/y;
  digits.lastIndex = cursor.token.end;
  const index = digits.exec(cursor.source.text);
  if (index !== null) {
    cursor.jump(digits.lastIndex);
    return { kind: "index", key: { kind: "literal", value: Number(index[0]), at }, at };
  }
  cursor.take();
  if (!cursor.is("*")) return { kind: "attribute", name: cursor.identifier('a name after "."'), at };
  cursor.take();
  return { kind: "splat", steps: cursor.deeper(() => parseSteps(cursor, false)), at };
}

function parseBracket(cursor: Cursor, at: Place): Step {
  cursor.take();
  if (cursor.is("*")) {
    cursor.take();
    cursor.expect("]", 'after "[*"');
    return { kind: "splat", steps: cursor.deeper(() => parseSteps(cursor, true)), at };
  }
  const key = cursor.within(false, () => parseExpression(cursor));
  cursor.expect("]", "after the index");
  return { kind: "index", key, at };
}

function parseTerm(cursor: Cursor, at: Place): Expression {
  const { token } = cursor;
  if (token.kind === "quote") return parseQuoted(cursor);
  if (token.kind === "heredoc") return parseHeredoc(cursor);
  if (token.kind === "number") return parseNumber(cursor, at);
  if (token.kind === "identifier") return parseWord(cursor, at);
  if (cursor.is("(")) {
    cursor.take();
    const inner = cursor.within(false, () => parseExpression(cursor));
    cursor.expect(")", 'to close "("');
    return { kind: "parentheses", inner, at };
  }
  if (cursor.is("[")) return parseTuple(cursor, at);
  if (cursor.is("{")) return parseObject(cursor, at);
  throw cursor.unexpected("expected a value");
}

function parseNumber(cursor: Cursor, at: Place): Expression {
  const value = Number(cursor.token.text);
  if (!Number.isFinite(value)) throw errorAt(at, "number is too large");
  cursor.take();
  return { kind: "literal", value, at };
}

const WORDS = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

function parseWord(cursor: Cursor, at: Place): Expression {
  const name = cursor.take().text;
  if (cursor.continues("(")) return parseCall(cursor, name, at);
  const value = WORDS.get(name);
  return value === undefined ? { kind: "variable", name, at } : { kind: "literal", value, at };
}

function parseCall(cursor: Cursor, name: string, at: Place): Expression {
  cursor.take();
  return cursor.within(false, () => {
    const args: Expression[] = [];
    let expandLast = false;
    while (!cursor.is(")")) {
      args.push(parseExpression(cursor));
      expandLast = cursor.is("...");
      if (expandLast) cursor.take();
      if (expandLast || !cursor.is(",")) break;
      cursor.take();
    }
    cursor.expect(")", `to close the call of "${name}"`);
    return { kind: "call", name, args, expandLast, at };
  });
}

function parseTuple(cursor: Cursor, at: Place): Expression {
  return cursor.within(false, () => {
    cursor.take();
    if (startsFor(cursor)) return { ...parseFor(cursor, "]"), at };
    const items: Expression[] = [];
    while (!cursor.is("]")) {
      items.push(parseExpression(cursor));
      if (!cursor.is(",")) break;
      cursor.take();
    }
    cursor.expect("]", "or a comma in the list");
    return { kind: "tuple", items, at };
  });
}

function startsFor(cursor: Cursor): boolean {
  return cursor.is("for") && cursor.token.kind === "identifier" && cursor.peek().kind === "identifier";
}

function parseObject(cursor: Cursor, at: Place): Expression {
  return cursor.within(true, () => {
    cursor.take();
    if (startsFor(cursor)) return { ...cursor.within(false, () => parseFor(cursor, "}")), at };
    const entries: ObjectEntry[] = [];
    while (!cursor.is("}")) {
      entries.push(parseEntry(cursor));
      if (cursor.is(",")) cursor.take();
      else if (!cursor.is("}") && !cursor.token.newlineBefore) break;
    }
    cursor.expect("}", "or a comma or a new line in the object");
    return { kind: "object", entries, at };
  });
}

function parseEntry(cursor: Cursor): ObjectEntry {
  const written = parseExpression(cursor);
  const key: Expression =
    written.kind === "variable" ? { kind: "literal", value: written.name, at: written.at } : written;
  if (!cursor.is("=") && !cursor.is(":")) throw cursor.unexpected('expected "=" or ":" after the key');
  cursor.take();
  return { key, value: parseExpression(cursor) };
}

function parseFor(cursor: Cursor, closer: "]" | "}"): ForExpression {
  cursor.take();
  const first = cursor.identifier("the name of the loop's variable");
  const second = cursor.comma() ? cursor.identifier("the name of the second variable") : undefined;
  cursor.expect("in", "after the names of a for expression");
  const collection = parseExpression(cursor);
  cursor.expect(":", "after the collection of a for expression");
  const head = parseExpression(cursor);
  if (closer === "}") cursor.expect("=>", "between key and value of a for expression");
  const [key, value] = closer === "}" ? [head, parseExpression(cursor)] : [undefined, head];
  const grouped = closer === "}" && cursor.is("...");
  if (grouped) cursor.take();
  const condition = cursor.is("if") ? parseCondition(cursor) : undefined;
  cursor.expect(closer, "to close the for expression");
  const keyName = second === undefined ? undefined : first;
  return { kind: "for", keyName, valueName: second ?? first, collection, key, value, condition, grouped };
}

function parseCondition(cursor: Cursor): Expression {
  cursor.take();
  return parseExpression(cursor);
}
