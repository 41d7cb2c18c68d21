/** What comes for a call while it is open, in order. */
export class CallInput {
  readonly #waiting: Uint8Array[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  push(data: Uint8Array): void {
    this.#waiting.push(data);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Ends when the call does. */
  async *messages(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#closed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
