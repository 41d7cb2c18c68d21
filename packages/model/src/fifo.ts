/** So many places of what has left are given back at a time. */
const LEFT_MIN = 1_024;

/** First in, first out, at the same cost whatever its length; what leaves is let go at once. */
export class Fifo<T> {
  /** Undefined before `#head`. */
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** `i`: from 0, the first. */
  at(i: number): T | undefined {
    return this.#items[this.#head + i];
  }

  /** Those from `i` on, which is not negative. */
  from(i: number): T[] {
    return this.#items.slice(this.#head + i) as T[];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const first = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= LEFT_MIN && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}
