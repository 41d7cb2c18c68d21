/**
 * Makes equal texts one object. Decoded messages bring a text of their own for each status and
 * description, and what the state keeps of a million of them is the same few.
 */
export class TextPool {
  readonly #texts: Map<string, string> = new Map();

  of(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (text.length > LENGTH_MAX || this.#texts.size >= TEXTS_MAX) return text;
    this.#texts.set(text, text);
    return text;
  }
}

/** Statuses, descriptions and names are short and few; beyond these bounds nothing is gained. */
const LENGTH_MAX = 64;
const TEXTS_MAX = 4_096;
