// The grammar of go-bexpr, by recursive descent:
//
//   or      = and (" or " and)*
//   and     = not (" and " not)*
//   not     = "not " not | "(" or ")" | any-all | match
//   any-all = ("any" | "all") selector "as" binding "{" or "}"
//   match   = selector ("==" | "!=" | contains | not contains | matches | not matches) value
//           | selector ("is empty" | "is not empty")
//           | value ("in" | "not in") selector
//
// A bare word is a value too: `Status == running`.
import type { Binding, Expression, Operator, Selector } from "./expression.ts";
import { Scanner } from "./scanner.ts";

/** Deeper nesting is refused: each level takes stack, here and where the expression is evaluated. */
const DEPTH_MAX = 100;

const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_/]*/y;
const DIGITS = /[0-9]+/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/y;
const POINTER = /^(?:\/[\p{L}\p{N}_.~:|-]+)+$/u;

/** Throws `invalid` with the place of the first thing that does not belong. */
export function parseExpression(text: string): Expression {
  const scanner = new Scanner(text);
  scanner.space();
  const expression = parseOr(scanner, 0);
  scanner.space();
  if (!scanner.ended) throw scanner.expected("and", "or", "[ \\t\\r\\n]", "[end of expression]");
  return expression;
}

function parseOr(scanner: Scanner, depth: number): Expression {
  const first = parseAnd(scanner, depth);
  const operands = [first];
  while (scanner.words("or")) operands.push(parseAnd(scanner, depth));
  return operands.length === 1 ? first : { kind: "or", operands };
}

function parseAnd(scanner: Scanner, depth: number): Expression {
  const first = parseNot(scanner, depth);
  const operands = [first];
  while (scanner.words("and")) operands.push(parseNot(scanner, depth));
  return operands.length === 1 ? first : { kind: "and", operands };
}

function parseNot(scanner: Scanner, depth: number): Expression {
  let negations = 0;
  while (takeNot(scanner)) negations++;
  const operand = parseSingle(scanner, depth);
  return negations % 2 === 1 ? { kind: "not", operand } : operand;
}

/** `not` stands before an expression; `not in x` has it as a value. */
function takeNot(scanner: Scanner): boolean {
  const from = scanner.at;
  if (scanner.take("not") && scanner.space() && !isOperatorNext(scanner)) return true;
  scanner.at = from;
  return false;
}

function isOperatorNext({ text, at }: Scanner): boolean {
  return /^(?:==|!=|(?:in|contains|matches|is)\s|not\s+(?:in|contains|matches)\s)/.test(text.slice(at, at + 40));
}

function parseSingle(scanner: Scanner, depth: number): Expression {
  if (depth > DEPTH_MAX) throw scanner.error(`nested deeper than ${DEPTH_MAX} levels`);
  const start = scanner.at;
  if (!scanner.take("(")) return parseCollection(scanner, depth) ?? parseMatch(scanner);
  scanner.space();
  const inner = parseOr(scanner, depth + 1);
  scanner.space();
  if (!scanner.take(")")) throw scanner.error('rule "grouping": Unmatched parentheses', start);
  return inner;
}

function parseCollection(scanner: Scanner, depth: number): Expression | undefined {
  const start = scanner.at;
  const kind = scanner.take("any") ? "any" : scanner.take("all") ? "all" : undefined;
  if (kind !== undefined && scanner.space() && !isOperatorNext(scanner)) {
    const { selector } = parseOperand(scanner);
    if (selector === undefined) throw scanner.error('rule "match": Invalid selector');
    if (!scanner.words("as")) throw scanner.expected("as");
    const binding = parseBinding(scanner);
    scanner.space();
    if (!scanner.take("{")) throw scanner.expected("{");
    scanner.space();
    const inner = parseOr(scanner, depth + 1);
    scanner.space();
    if (!scanner.take("}")) throw scanner.expected("and", "or", "}");
    return { kind, selector, binding, inner };
  }
  scanner.at = start;
  return undefined;
}

/** `v`, or `(k, v)` with or without its parentheses, where `_` leaves one out. */
function parseBinding(scanner: Scanner): Binding {
  const isEnclosed = scanner.take("(");
  scanner.space();
  const first = parseName(scanner);
  scanner.space();
  if (!scanner.take(",")) {
    if (isEnclosed && !scanner.take(")")) throw scanner.expected(",", ")");
    return first === "_" ? {} : { one: first };
  }
  scanner.space();
  const second = parseName(scanner);
  scanner.space();
  if (isEnclosed && !scanner.take(")")) throw scanner.expected(")");
  if (first === second) {
    throw scanner.error(`"${first}" cannot be used as a placeholder for both the index and the value`);
  }
  return { ...(first !== "_" && { index: first }), ...(second !== "_" && { value: second }) };
}

function parseName(scanner: Scanner): string {
  const name = scanner.take("_") ? "_" : scanner.match(IDENTIFIER);
  if (name === undefined) throw scanner.expected("_", "[a-zA-Z]");
  return name;
}

interface WordOperator {
  readonly words: readonly string[];
  readonly operator: Operator;
  readonly negated: boolean;
  /** Where the selector stands, and whether a value stands on the other side. */
  readonly selectorOn: "left" | "right";
  readonly unary?: true;
}

const WORD_OPERATORS: readonly WordOperator[] = [
  { words: ["contains"], operator: "in", negated: false, selectorOn: "left" },
  { words: ["not", "contains"], operator: "in", negated: true, selectorOn: "left" },
  { words: ["matches"], operator: "matches", negated: false, selectorOn: "left" },
  { words: ["not", "matches"], operator: "matches", negated: true, selectorOn: "left" },
  { words: ["in"], operator: "in", negated: false, selectorOn: "right" },
  { words: ["not", "in"], operator: "in", negated: true, selectorOn: "right" },
  { words: ["is", "empty"], operator: "empty", negated: false, selectorOn: "left", unary: true },
  { words: ["is", "not", "empty"], operator: "empty", negated: true, selectorOn: "left", unary: true },
];

function parseMatch(scanner: Scanner): Expression {
  const start = scanner.at;
  const left = parseOperand(scanner);
  const { operator, negated, selectorOn, unary } = parseOperator(scanner);
  const right = unary ? undefined : parseOperand(scanner);
  const [target, value] = selectorOn === "left" ? [left, right] : [right, left];
  if (target?.selector === undefined) throw scanner.error('rule "match": Invalid selector', start);
  return { kind: "match", operator, negated, selector: target.selector, raw: value?.raw ?? "" };
}

function parseOperator(scanner: Scanner): Omit<WordOperator, "words"> {
  const start = scanner.at;
  scanner.space();
  const symbol = scanner.take("==") ? "==" : scanner.take("!=") ? "!=" : undefined;
  if (symbol !== undefined) {
    scanner.space();
    return { operator: "equal", negated: symbol === "!=", selectorOn: "left" };
  }
  scanner.at = start;
  const found = WORD_OPERATORS.find((it) => (it.unary ? scanner.lastWords(...it.words) : scanner.words(...it.words)));
  if (found === undefined) throw scanner.expected("==", "!=", "contains", "in", "is", "matches", "not");
  return found;
}

interface Operand {
  readonly raw: string;
  /** Undefined where the text can only be a value. */
  readonly selector?: Selector;
}

/** A text in quotes, a number, or a bare path: what can be a selector, a value, or either. */
function parseOperand(scanner: Scanner): Operand {
  const start = scanner.at;
  if (scanner.text[start] === '"' || scanner.text[start] === "`") return parseQuoted(scanner);
  const number = scanner.match(NUMBER);
  if (number !== undefined) {
    if (scanner.ended || " \t\r\n)}".includes(scanner.text[scanner.at] as string)) return { raw: number };
    throw scanner.error('rule "number": Invalid number literal', start);
  }
  const first = scanner.match(IDENTIFIER);
  if (first === undefined) throw scanner.expected('"', "(", "-", "`", "[a-zA-Z]", "[0-9]");
  const path = [first];
  for (let part = parsePart(scanner); part !== undefined; part = parsePart(scanner)) path.push(part);
  return { raw: path.join("."), selector: { path, text: path.join(".") } };
}

/** `.name`, `.0` or `["any text"]`. */
function parsePart(scanner: Scanner): string | undefined {
  const start = scanner.at;
  if (scanner.take(".")) {
    const part = scanner.match(IDENTIFIER) ?? scanner.match(DIGITS);
    if (part === undefined) throw scanner.expected("[a-zA-Z]", "[0-9]");
    return part;
  }
  if (!scanner.take("[")) return undefined;
  scanner.space();
  if (scanner.text[scanner.at] !== '"' && scanner.text[scanner.at] !== "`") {
    throw scanner.error('rule "index": Invalid index', start);
  }
  const { raw } = parseQuoted(scanner);
  scanner.space();
  if (!scanner.take("]")) throw scanner.error('rule "index": Unclosed index expression', start);
  return raw;
}

/** A JSON pointer in double quotes is a selector too. */
function parseQuoted(scanner: Scanner): Operand {
  const start = scanner.at;
  const mark = scanner.text[start] as string;
  const end = scanner.text.indexOf(mark, start + 1);
  if (end < 0) throw scanner.error('rule "string": Unterminated string literal', start);
  const inner = scanner.text.slice(start + 1, end);
  scanner.at = end + 1;
  if (mark === "`") return { raw: inner.replaceAll("\r", "") };
  if (POINTER.test(inner)) {
    const path = inner
      .slice(1)
      .split("/")
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    return { raw: inner, selector: { path, text: inner } };
  }
  const raw = unquote(inner);
  if (raw === undefined) throw scanner.error('rule "string": invalid syntax', start);
  return { raw };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** A Go string literal without its quotes; undefined when it is none. */
function unquote(text: string): string | undefined {
  if (text.includes("\n")) return undefined;
  let isValid = true;
  const result = text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))/gs, (...groups) => {
    const [, x, u, long, char] = groups as (string | undefined)[];
    const code = Number.parseInt(x ?? u ?? long ?? "", 16);
    const isText = code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
    const replacement = char === undefined ? (isText ? String.fromCodePoint(code) : undefined) : ESCAPES[char];
    isValid &&= replacement !== undefined;
    return replacement ?? "";
  });
  return isValid ? result : undefined;
}
