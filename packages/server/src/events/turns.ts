/** Lets so many be read at a time; the others wait in the order in which they came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#free = max;
  }

  /** Opens what is to be read when it is its turn, which ends with the reading. Rejects as `open` does, or with the signal. */
  async take<T>(signal: AbortSignal, open: () => Promise<AsyncIterable<T>>): Promise<AsyncIterable<T>> {
    await this.#turn(signal);
    try {
      return this.#read(await open());
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** Not a generator: one that was never begun does not hear that it is not wanted any more. */
  #read<T>(items: AsyncIterable<T>): AsyncIterable<T> {
    let isOver = false;
    const end = () => {
      if (!isOver) this.#end();
      isOver = true;
    };
    return {
      [Symbol.asyncIterator]() {
        const read = items[Symbol.asyncIterator]();
        return {
          async next() {
            try {
              const result = await read.next();
              if (result.done === true) end();
              return result;
            } catch (error) {
              end();
              throw error;
            }
          },
          async return() {
            end();
            await read.return?.();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(go);
    });
  }

  #end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
