import { SteppeError } from "../errors.ts";
import { quote } from "../go-text.ts";

/** A place in the text of an expression; reads tokens and says where one was missed. */
export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Skips white space; whether there was any. */
  space(): boolean {
    const from = this.at;
    while (this.at < this.text.length && " \t\r\n".includes(this.text[this.at] as string)) this.at++;
    return this.at > from;
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** Takes the text if it stands here. */
  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** Takes what the sticky pattern matches here. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** Takes words that white space precedes, separates and follows, else nothing. */
  words(...words: readonly string[]): boolean {
    const from = this.at;
    const isHere = words.every((word) => this.space() && this.take(word));
    if (isHere && this.space()) return true;
    this.at = from;
    return false;
  }

  /** The same for words that may end the expression. */
  lastWords(...words: readonly string[]): boolean {
    const from = this.at;
    const isHere = words.every((word) => this.space() && this.take(word));
    if (isHere && !/[\w/.[]/.test(this.text[this.at] ?? "")) return true;
    this.at = from;
    return false;
  }

  expected(...what: readonly string[]): SteppeError {
    return this.error(
      `no match found, expected: ${what.map((it) => (it.startsWith("[") ? it : quote(it))).join(", ")}`,
    );
  }

  /** In the API's form: line, column, offset in bytes. */
  error(message: string, at = this.at): SteppeError {
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    const column = Array.from(before.slice(before.lastIndexOf("\n") + 1)).length + 1;
    const offset = new TextEncoder().encode(before).length;
    return new SteppeError(
      "invalid",
      `failed to create result paginator: failed to read filter expression: ${line}:${column} (${offset}): ${message}`,
    );
  }
}
