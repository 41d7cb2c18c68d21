import type { Expression, ObjectEntry } from "./ast.ts";
import { errorAt, type Place, type Source } from "./source.ts";

const NESTING_MAX = 200;
const TOKEN = /[{}[\]:,]|"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /[ \t\r\n\ufeff]*/y;

export interface JsonOptions {
  /** What a string that is no name means. Default: its text. */
  readonly stringOf?: (text: string, at: Place) => Expression;
}

/** Strict JSON, as expressions that know their places. */
export function parseJson(source: Source, { stringOf }: JsonOptions = {}): Expression {
  const reader = new JsonReader(source, stringOf);
  const value = reader.value(0);
  if (reader.token !== "") throw reader.unexpected("expected the end of the file");
  return value;
}

class JsonReader {
  readonly #source: Source;
  /** The current token as written; empty at the end. */
  token = "";
  #start = 0;
  #end = 0;

  readonly #stringOf: JsonOptions["stringOf"];

  constructor(source: Source, stringOf: JsonOptions["stringOf"]) {
    this.#source = source;
    this.#stringOf = stringOf;
    this.#advance();
  }

  value(depth: number): Expression {
    const at = { source: this.#source, offset: this.#start };
    if (depth > NESTING_MAX) throw errorAt(at, `nested more than ${NESTING_MAX} levels deep`);
    if (this.token === "{") return { kind: "object", entries: this.#list("}", () => this.#entry(depth)), at };
    if (this.token === "[") return { kind: "tuple", items: this.#list("]", () => this.value(depth + 1)), at };
    if (this.token === "" || /^[}\]:,]$/.test(this.token)) throw this.unexpected("expected a value");
    const value = this.#scalar();
    return typeof value === "string" && this.#stringOf !== undefined
      ? this.#stringOf(value, at)
      : { kind: "literal", value, at };
  }

  unexpected(message: string): Error {
    const found = this.token === "" ? "the end of the file" : JSON.stringify(this.token);
    return errorAt({ source: this.#source, offset: this.#start }, `${message}, found ${found}`);
  }

  #list<T>(closer: string, item: () => T): T[] {
    const items: T[] = [];
    this.#advance();
    while (this.token !== closer) {
      items.push(item());
      if (this.token === closer) break;
      if (this.token !== ",") throw this.unexpected(`expected "," or "${closer}"`);
      this.#advance();
      if (this.token === closer) throw this.unexpected('expected an item after ","');
    }
    this.#advance();
    return items;
  }

  #entry(depth: number): ObjectEntry {
    if (!this.token.startsWith('"')) throw this.unexpected("expected a name in double quotes");
    const at = { source: this.#source, offset: this.#start };
    const key = { kind: "literal", value: this.#scalar(), at } as const;
    if (this.token !== ":") throw this.unexpected('expected ":" after the name');
    this.#advance();
    return { key, value: this.value(depth + 1) };
  }

  #scalar(): string | number | boolean | null {
    try {
      const value: unknown = JSON.parse(this.token);
      this.#advance();
      return value as string | number | boolean | null;
    } catch (cause) {
      throw errorAt({ source: this.#source, offset: this.#start }, `malformed value ${this.token}`, { cause });
    }
  }

  #advance(): void {
    SPACE.lastIndex = this.#end;
    SPACE.exec(this.#source.text);
    this.#start = SPACE.lastIndex;
    TOKEN.lastIndex = this.#start;
    const found = TOKEN.exec(this.#source.text);
    if (found === null && this.#start < this.#source.text.length) {
      throw errorAt({ source: this.#source, offset: this.#start }, "malformed JSON");
    }
    this.token = found?.[0] ?? "";
    this.#end = this.#start + this.token.length;
  }
}
