import type { Expression, ObjectEntry } from "./ast.ts";
import { errorAt, type Source } from "./source.ts";

const NESTING_MAX = 200;
const TOKEN = /[{}[\]:,]|"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const SPACE = /[ \t\r\n\ufeff]*/y;

/** Strict JSON, as expressions that know their places. Strings are plain text. */
export function parseJson(source: Source): Expression {
  const reader = new JsonReader(source);
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

  constructor(source: Source) {
    this.#source = source;
    this.#advance();
  }

  value(depth: number): Expression {
    const at = { source: this.#source, offset: this.#start };
    if (depth > NESTING_MAX) throw errorAt(at, `nested more than ${NESTING_MAX} levels deep`);
    if (this.token === "{") return { kind: "object", entries: this.#list("}", () => this.#entry(depth)), at };
    if (this.token === "[") return { kind: "tuple", items: this.#list("]", () => this.value(depth + 1)), at };
    if (this.token === "" || /^[}\]:,]$/.test(this.token)) throw this.unexpected("expected a value");
    return { kind: "literal", value: this.#scalar(), at };
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
    const key = this.value(depth + 1);
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
