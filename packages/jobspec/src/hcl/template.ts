import type { Expression, TemplatePart } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { parseExpression } from "./expression.ts";
import { errorAt, formatPlace, type Place } from "./source.ts";
import { buildTemplate, type Directive, type Segment, stripIndent } from "./template-parts.ts";

/** A quoted string; the current token is its opening quote. */
export function parseQuoted(cursor: Cursor): Expression {
  const { start, end } = cursor.token;
  const scanned = scan(cursor, end, undefined);
  cursor.jump(scanned.end + 1);
  return assemble(scanned.segments, cursor, start);
}

/** A string of a JSON file: a template as it stands, of which no part is in quotes. */
export function parseTemplate(text: string, at: Place): Expression {
  if (!/[$%]\{/.test(text)) return { kind: "literal", value: text, at };
  // Places inside the string count from its own start: what JSON escapes is shorter here than in the file.
  const cursor = new Cursor({ filename: `${formatPlace(at)}, in the string`, text }, "hcl2", text.length);
  const { segments } = scan(cursor, 0, text.length);
  return { ...assemble(segments, cursor, 0), at };
}

/** `<<EOF` or `<<-EOF` up to the line that holds nothing but the marker; the current token is the opening line. */
export function parseHeredoc(cursor: Cursor): Expression {
  const { text: marker, start, end } = cursor.token;
  const { text } = cursor.source;
  const closing = new RegExp(`^[ \\t]*${marker}[ \\t]*\\r?$`, "mu").exec(text.slice(end));
  if (closing === null)
    throw errorAt(cursor.place(start), `heredoc is not closed; a line with only ${marker} is missing`);
  const bodyEnd = end + closing.index;
  const { segments } = scan(cursor, end, bodyEnd);
  cursor.jump(bodyEnd + closing[0].length);
  return assemble(text[start + 2] === "-" ? stripIndent(segments) : segments, cursor, start);
}

function assemble(segments: Segment[], cursor: Cursor, start: number): Expression {
  const at = cursor.place(start);
  const parts: readonly TemplatePart[] = buildTemplate(segments, at);
  const [only] = parts;
  if (only === undefined) return { kind: "literal", value: "", at };
  if (parts.length === 1 && only.kind === "text") return { kind: "literal", value: only.text, at };
  return { kind: "template", parts, at };
}

/** Reads to the closing quote (`limit` undefined; escapes apply) or to `limit` (a heredoc; they do not). */
function scan(cursor: Cursor, from: number, limit: number | undefined): { segments: Segment[]; end: number } {
  const { text } = cursor.source;
  const segments: Segment[] = [];
  let literal = "";
  let at = from;
  const flush = (): void => {
    if (literal !== "") segments.push({ kind: "text", text: literal });
    literal = "";
  };
  while (at !== limit) {
    const character = text[at];
    const opens = cursor.dialect === "hcl2" && (character === "$" || character === "%");
    if (limit === undefined && character === '"') break;
    if (limit === undefined && (character === undefined || character === "\n")) {
      throw errorAt(cursor.place(from - 1), "string is not closed on its line; a double quote is missing");
    }
    if (limit === undefined && character === "\\") {
      const escaped = readEscape(cursor, at);
      literal += escaped.text;
      at = escaped.end;
    } else if (opens && text.startsWith(`${character}{`, at + 1)) {
      literal += `${character}{`;
      at += 3;
    } else if (opens && text[at + 1] === "{") {
      flush();
      const inner = readSequence(cursor, at, limit);
      segments.push(inner.segment);
      at = inner.end;
    } else {
      literal += character;
      at++;
    }
  }
  flush();
  return { segments, end: at };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

function readEscape(cursor: Cursor, at: number): { text: string; end: number } {
  const { text } = cursor.source;
  const simple = ESCAPES[text[at + 1] ?? ""];
  if (simple !== undefined) return { text: simple, end: at + 2 };
  const unicode = /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
  unicode.lastIndex = at;
  const found = unicode.exec(text);
  const point = found === null ? Number.NaN : Number.parseInt(found[1] ?? found[2] ?? "", 16);
  if (found === null || point > 0x10ffff) {
    throw errorAt(cursor.place(at), 'unknown escape; known are \\n \\r \\t \\" \\\\ \\uXXXX \\UXXXXXXXX');
  }
  return { text: String.fromCodePoint(point), end: at + found[0].length };
}

/** `${ value }` or `%{ directive }` at `at`, with the offset behind its closing brace. */
function readSequence(cursor: Cursor, at: number, limit: number | undefined): { segment: Segment; end: number } {
  const { text } = cursor.source;
  const before = text[at + 2] === "~";
  cursor.jump(at + (before ? 3 : 2));
  return cursor.within(false, () => {
    const segment =
      text[at] === "$"
        ? ({ kind: "interpolation", value: parseExpression(cursor) } as const)
        : ({ kind: "directive", directive: readDirective(cursor), at: cursor.place(at) } as const);
    const after = cursor.is("~");
    if (after) cursor.take();
    // The brace stays the current token: what follows it is text, not tokens.
    if (!cursor.is("}")) throw cursor.unexpected(`expected "}" to close "${text[at]}{"`);
    if (limit !== undefined && cursor.token.end > limit) {
      throw errorAt(cursor.place(at), `"${text[at]}{" is not closed inside the heredoc`);
    }
    return { segment: { ...segment, before, after }, end: cursor.token.end };
  });
}

function readDirective(cursor: Cursor): Directive {
  const at = cursor.here();
  const word = cursor.identifier('"if", "else", "endif", "for" or "endfor"');
  switch (word) {
    case "if":
      return { word, condition: parseExpression(cursor) };
    case "for": {
      const first = cursor.identifier("the name of the loop's variable");
      const second = cursor.comma() ? cursor.identifier("the name of the loop's second variable") : undefined;
      cursor.expect("in", "in the for directive");
      const collection = parseExpression(cursor);
      return { word, keyName: second === undefined ? undefined : first, valueName: second ?? first, collection };
    }
    case "else":
    case "endif":
    case "endfor":
      return { word };
    default:
      throw errorAt(at, `unknown template directive "${word}"; known are if, else, endif, for, endfor`);
  }
}
