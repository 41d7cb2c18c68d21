import { errorAt, type Source } from "./source.ts";

export interface Token {
  /** `quote` is the opening `"` alone and `heredoc` the opening line alone: what follows is the template parser's. */
  readonly kind: "identifier" | "number" | "quote" | "heredoc" | "punctuation" | "end";
  /** As written; for a heredoc its marker. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** A line break (also one inside a comment) stands between the token before and this one. */
  readonly newlineBefore: boolean;
}

const SPACE = /[ \t\r\n\ufeff]+/y;
const COMMENT = /(?:#|\/\/)[^\n]*|\/\*[\s\S]*?\*\//y;
const IDENTIFIER = /[\p{L}_][\p{L}\p{N}\p{M}_-]*/uy;
const NUMBER = /0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const HEREDOC = /<<-?([\p{L}_][\p{L}\p{N}_-]*)[ \t]*\r?\n/uy;
// Longest first: a shorter one may be the beginning of a longer one.
const PUNCTUATION = /\.\.\.|==|!=|<=|>=|&&|\|\||=>|[{}[\]()=:,.?!<>+\-*/%~]/y;

/** Reads tokens one at a time from any offset, because what a `"` opens is not made of tokens. */
export class Lexer {
  readonly #source: Source;
  /** Where the next token is looked for. */
  offset = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  next(): Token {
    const newlineBefore = this.#skip();
    const start = this.offset;
    const token = (kind: Token["kind"], text: string, end: number): Token => {
      this.offset = end;
      return { kind, text, start, end, newlineBefore };
    };
    if (start >= this.#source.text.length) return token("end", "", start);
    if (this.#source.text[start] === '"') return token("quote", '"', start + 1);
    const heredoc = this.#match(HEREDOC);
    if (heredoc !== undefined) return token("heredoc", heredoc[1] ?? "", start + heredoc[0].length);
    for (const [kind, pattern] of [
      ["identifier", IDENTIFIER],
      ["number", NUMBER],
      ["punctuation", PUNCTUATION],
    ] as const) {
      const found = this.#match(pattern);
      if (found !== undefined) return token(kind, found[0], start + found[0].length);
    }
    const character = String.fromCodePoint(this.#source.text.codePointAt(start) ?? 0);
    const hint = character === "'" ? "; strings are written with double quotes" : "";
    throw errorAt({ source: this.#source, offset: start }, `unexpected character ${JSON.stringify(character)}${hint}`);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.offset;
    return pattern.exec(this.#source.text) ?? undefined;
  }

  #skip(): boolean {
    let newline = false;
    for (;;) {
      const skipped = this.#match(SPACE) ?? this.#match(COMMENT);
      if (skipped === undefined) break;
      newline ||= skipped[0].includes("\n");
      this.offset += skipped[0].length;
    }
    if (this.#source.text.startsWith("/*", this.offset)) {
      throw errorAt({ source: this.#source, offset: this.offset }, 'comment is not closed; "*/" is missing');
    }
    return newline;
  }
}
