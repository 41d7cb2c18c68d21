import type { Attribute, Block, Body, Expression } from "./ast.ts";
import { Cursor, type Dialect } from "./cursor.ts";
import { parseExpression } from "./expression.ts";
import { parseJson } from "./json.ts";
import { errorAt, type Place } from "./source.ts";
import { parseQuoted, parseTemplate } from "./template.ts";

export interface ParseOptions {
  /** Default `hcl2`. */
  readonly dialect?: Dialect;
}

/**
 * Parses a whole file. A name that ends in `.json` is JSON: an object whose members are the attributes.
 * @throws SteppeError `invalid`, with place, line and what was expected
 */
export function parseHcl(text: string, filename: string, options: ParseOptions = {}): Body {
  const source = { filename, text };
  if (filename.endsWith(".json")) return bodyOfObject(parseJson(source));
  const cursor = new Cursor(source, options.dialect ?? "hcl2");
  const body = parseBody(cursor, cursor.place(0));
  if (cursor.token.kind !== "end") throw cursor.unexpected("expected an option or a block");
  return body;
}

/** A single expression, as in a variable given on a command line. */
export function parseHclExpression(text: string, filename: string): Expression {
  const cursor = new Cursor({ filename, text }, "hcl2");
  const expression = cursor.within(false, () => parseExpression(cursor));
  if (cursor.token.kind !== "end") throw cursor.unexpected("expected the end of the expression");
  return expression;
}

/** A job file: HCL, or HCL's JSON syntax where it begins with a brace. Strings of the latter are templates too. */
export function parseJobFile(text: string, filename: string): Body {
  if (!/^\s*\{/.test(text)) return parseHcl(text, filename);
  return bodyOfObject(parseJson({ text, filename }, { stringOf: parseTemplate }), true);
}

/** An object written where a block may stand, seen as that block's body. */
export function bodyOfObject(expression: Expression, json = false): Body {
  if (expression.kind !== "object") throw errorAt(expression.at, "expected an object");
  const attributes = new Map<string, Attribute>();
  for (const { key, value } of expression.entries) {
    if (key.kind !== "literal") throw errorAt(key.at, "a computed key cannot name an option");
    // JSON has no comments; a member of this name is one.
    if (json && key.value === "//") continue;
    addAttribute(attributes, { name: String(key.value), value, at: key.at });
  }
  return { at: expression.at, attributes, blocks: [], ...(json && { json }) };
}

function addAttribute(attributes: Map<string, Attribute>, attribute: Attribute): void {
  if (attributes.has(attribute.name)) throw errorAt(attribute.at, `"${attribute.name}" is set twice`);
  attributes.set(attribute.name, attribute);
}

function parseBody(cursor: Cursor, at: Place): Body {
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  while (cursor.token.kind !== "end" && !cursor.is("}")) {
    const start = cursor.here();
    const name = parseName(cursor);
    const braced = cursor.dialect === "hcl1" && cursor.is("=") && cursor.peek().text === "{";
    if (braced) cursor.take();
    if (cursor.is("=")) {
      cursor.take();
      addAttribute(attributes, { name, value: parseExpression(cursor), at: start });
    } else blocks.push(parseBlock(cursor, name, start));
    endItem(cursor, name);
  }
  return { at, attributes, blocks };
}

function parseName(cursor: Cursor): string {
  if (cursor.dialect === "hcl1" && cursor.token.kind === "quote") return literalString(cursor);
  let name = cursor.identifier("the name of an option or a block");
  while (cursor.dialect === "hcl1" && cursor.is(".")) {
    cursor.take();
    name += `.${cursor.identifier('a name after "."')}`;
  }
  return name;
}

function parseBlock(cursor: Cursor, type: string, at: Place): Block {
  const labels: string[] = [];
  while (!cursor.is("{")) {
    if (cursor.token.kind === "quote") labels.push(literalString(cursor));
    else if (cursor.token.kind === "identifier" && !cursor.token.newlineBefore) labels.push(cursor.take().text);
    else throw cursor.unexpected(`expected "=" or "{" after "${type}"`);
  }
  const opening = cursor.here();
  cursor.take();
  const body = cursor.deeper(() => cursor.within(true, () => parseBody(cursor, opening)));
  if (!cursor.is("}")) throw errorAt(opening, `block "${type}" is not closed; "}" is missing`);
  cursor.take();
  return { type, labels, body, at };
}

function literalString(cursor: Cursor): string {
  const written = parseQuoted(cursor);
  if (written.kind !== "literal") throw errorAt(written.at, "a name cannot be a template");
  return String(written.value);
}

function endItem(cursor: Cursor, name: string): void {
  if (cursor.token.kind === "end" || cursor.is("}") || cursor.token.newlineBefore) return;
  if (cursor.dialect === "hcl1" && cursor.is(",")) cursor.take();
  else throw cursor.unexpected(`expected a new line after "${name}"`);
}
