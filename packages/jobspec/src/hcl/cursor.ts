import { Lexer, type Token } from "./lexer.ts";
import { errorAt, type Place, type Source } from "./source.ts";

/**
 * `hcl2` is the language of job files. `hcl1` is the older one of agent files: strings are plain text
 * (`${` means nothing), names may be quoted or dotted, commas may follow any item, and `key = {` opens a block.
 */
export type Dialect = "hcl1" | "hcl2";

// Every level costs about a dozen stack frames in the parser and a few in the evaluator; nobody writes
// fifty levels by hand, and a hostile body must get an answer, not a stack overflow.
const NESTING_MAX = 200;

/** The one token the parser looks at, and the two things that depend on where it stands: line breaks and depth. */
export class Cursor {
  readonly source: Source;
  readonly dialect: Dialect;
  token: Token;
  readonly #lexer: Lexer;
  #depth = 0;
  #breaksEnd = true;

  /** At `offset`, where the first token begins. */
  constructor(source: Source, dialect: Dialect, offset = 0) {
    this.source = source;
    this.dialect = dialect;
    this.#lexer = new Lexer(source);
    this.#lexer.offset = offset;
    this.token = this.#lexer.next();
  }

  /** The current token, moving past it. */
  take(): Token {
    const token = this.token;
    this.token = this.#lexer.next();
    return token;
  }

  /** Goes on reading at an offset, after text that is not made of tokens. */
  jump(offset: number): void {
    this.#lexer.offset = offset;
    this.token = this.#lexer.next();
  }

  /** The token after the current one. */
  peek(): Token {
    const ahead = new Lexer(this.source);
    ahead.offset = this.token.end;
    return ahead.next();
  }

  is(text: string): boolean {
    return this.token.text === text && (this.token.kind === "punctuation" || this.token.kind === "identifier");
  }

  /** Like `is`, but false on a new line where a line break ends the expression. */
  continues(text: string): boolean {
    return this.is(text) && !(this.#breaksEnd && this.token.newlineBefore);
  }

  expect(text: string, where: string): Token {
    if (!this.is(text)) throw this.unexpected(`expected ${JSON.stringify(text)} ${where}`);
    return this.take();
  }

  identifier(what: string): string {
    if (this.token.kind !== "identifier") throw this.unexpected(`expected ${what}`);
    return this.take().text;
  }

  /** Parses with line breaks ending expressions or not. */
  within<T>(breaksEnd: boolean, parse: () => T): T {
    const before = this.#breaksEnd;
    this.#breaksEnd = breaksEnd;
    const result = parse();
    this.#breaksEnd = before;
    return result;
  }

  /** Parses one level of nesting further in; refuses when that is too deep. */
  deeper<T>(parse: () => T): T {
    if (++this.#depth > NESTING_MAX) throw errorAt(this.here(), `nested more than ${NESTING_MAX} levels deep`);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Whether a comma stood here; it is taken. */
  comma(): boolean {
    const found = this.is(",");
    if (found) this.take();
    return found;
  }

  here(): Place {
    return this.place(this.token.start);
  }

  place(offset: number): Place {
    return { source: this.source, offset };
  }

  unexpected(message: string): Error {
    return errorAt(this.here(), `${message}, found ${this.#found()}`);
  }

  #found(): string {
    if (this.token.kind === "end") return "the end of the file";
    if (this.token.kind === "quote") return "a string";
    return this.token.kind === "heredoc" ? "a heredoc" : JSON.stringify(this.token.text);
  }
}
