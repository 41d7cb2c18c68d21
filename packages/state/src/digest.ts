/**
 * Rolling hash of everything the state machine wrote, in order. Two replicas that applied the same
 * entries hold the same digest; replicas compare theirs to find one that went astray.
 *
 * Two 32-bit lanes of multiply-and-xor (the round of MurmurHash3, Appleby 2011); 53 bits of them
 * are given out, as many as a number holds. Not cryptographic: it guards against bugs and bad
 * memory, not against forgers.
 */
export class Digest {
  #a = 0x9747b28c;
  #b = 0x5bd1e995;

  /** The 53-bit value, an integer. */
  get value(): number {
    return (this.#b & 0x1fffff) * 4294967296 + (this.#a >>> 0);
  }

  /**
   * Drops the bits that `value` has no room for. Called after each entry, so that a replica that
   * went on from a value in a snapshot holds the same bits as one that applied everything.
   */
  seal(): void {
    this.#b &= 0x1fffff;
  }

  /** Continues from a value given out before. */
  reset(value: number): void {
    this.#a = value >>> 0;
    this.#b = Math.floor(value / 4294967296) & 0x1fffff;
  }

  /** As `word` for each letter, with the lanes at hand: it is most of what goes into a digest. */
  text(text: string): void {
    let [a, b] = [this.#a, this.#b];
    for (let i = 0; i < text.length; i++) {
      const letter = text.charCodeAt(i);
      let k = Math.imul(letter, 0xcc9e2d51);
      k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
      a ^= k;
      a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
      b = (Math.imul(b ^ a, 0x85ebca6b) + letter) | 0;
    }
    this.#a = a;
    this.#b = b;
    this.word(text.length);
  }

  /** Any number: integers by their low 53 bits. */
  number(value: number): void {
    this.word(value >>> 0);
    this.word(Math.floor(value / 4294967296) >>> 0);
  }

  word(word: number): void {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    const a = this.#a ^ k;
    this.#a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
    this.#b = (Math.imul(this.#b ^ this.#a, 0x85ebca6b) + word) | 0;
  }
}

/** Digests after the last few entries, to compare with what another replica had at one of them. */
export class DigestHistory {
  readonly #values: Float64Array = new Float64Array(HISTORY);
  readonly #indexes: Float64Array = new Float64Array(HISTORY);

  add(index: number, value: number): void {
    this.#indexes[index % HISTORY] = index;
    this.#values[index % HISTORY] = value;
  }

  /** Undefined when the index is too old, or was never applied here. */
  at(index: number): number | undefined {
    return this.#indexes[index % HISTORY] === index ? this.#values[index % HISTORY] : undefined;
  }
}

/** Entries between a leader's claim and its application: far fewer than these, at any write rate. */
const HISTORY = 8192;
