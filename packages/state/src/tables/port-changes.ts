/**
 * Numbers by place and port, 0 where none was set: an open hash table, because a plan that
 * spreads over many nodes would otherwise make a small map for each of them.
 */
export class PortChanges {
  /** Places + 1, so that 0 is an empty cell. */
  #places = new Int32Array(64);
  #ports = new Int32Array(64);
  #counts = new Int32Array(64);
  #cells = 0;

  get(place: number, port: number): number {
    if (this.#cells === 0) return 0;
    return this.#counts[this.#find(place + 1, port)] as number;
  }

  add(place: number, port: number, by: number): void {
    if (2 * this.#cells >= this.#places.length) this.#grow();
    const at = this.#find(place + 1, port);
    if (this.#places[at] === 0) {
      this.#places[at] = place + 1;
      this.#ports[at] = port;
      this.#cells += 1;
    }
    this.#counts[at] = (this.#counts[at] as number) + by;
  }

  /** The cell of a key, or the empty one where it would be. */
  #find(key: number, port: number): number {
    const mask = this.#places.length - 1;
    let hash = Math.imul(key, 0x85ebca6b) ^ Math.imul(port, 0xc2b2ae35);
    hash ^= hash >>> 15;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const found = this.#places[at];
      if (found === 0 || (found === key && this.#ports[at] === port)) return at;
    }
  }

  #grow(): void {
    const [places, ports, counts] = [this.#places, this.#ports, this.#counts];
    this.#places = new Int32Array(2 * places.length);
    this.#ports = new Int32Array(2 * places.length);
    this.#counts = new Int32Array(2 * places.length);
    this.#cells = 0;
    for (let i = 0; i < places.length; i++) {
      if (places[i] !== 0) this.add((places[i] as number) - 1, ports[i] as number, counts[i] as number);
    }
  }
}
