/** Ports a page, and words in one: pages come into being with their first port. */
const PAGE_PORTS = 2048;
const PAGE_WORDS = PAGE_PORTS / 32;

/**
 * Ports of one address in use, as bits: about 2 KB when ports of the whole dynamic range are in
 * use, nothing for ranges that are not. Counts holders beyond the first, since static ports may
 * be shared.
 */
export class PortSet {
  /** Distinct ports. */
  size = 0;
  readonly #pages: (Uint32Array | undefined)[] = [];
  /** By port: holders beyond the first. */
  #more: Map<number, number> | undefined = undefined;

  has(port: number): boolean {
    const page = this.#pages[Math.floor(port / PAGE_PORTS)];
    return page !== undefined && ((page[(port % PAGE_PORTS) >> 5] as number) & (1 << (port & 31))) !== 0;
  }

  /** Holders of a port. */
  count(port: number): number {
    return this.has(port) ? 1 + (this.#more?.get(port) ?? 0) : 0;
  }

  add(port: number): void {
    if (this.has(port)) {
      this.#more ??= new Map();
      this.#more.set(port, (this.#more.get(port) ?? 0) + 1);
      return;
    }
    this.#flip(port);
    this.size += 1;
  }

  remove(port: number): void {
    if (!this.has(port)) return;
    const more = this.#more?.get(port) ?? 0;
    if (more === 0) {
      this.#flip(port);
      this.size -= 1;
    } else if (more === 1) {
      this.#more?.delete(port);
    } else {
      this.#more?.set(port, more - 1);
    }
  }

  /** Distinct ports within a range, both ends included. */
  countWithin(from: number, to: number): number {
    let count = 0;
    for (let port = from; port <= to; port++) {
      if (this.#pages[Math.floor(port / PAGE_PORTS)] === undefined) port |= PAGE_PORTS - 1;
      else if (this.has(port)) count += 1;
    }
    return count;
  }

  #flip(port: number): void {
    const at = Math.floor(port / PAGE_PORTS);
    let page = this.#pages[at];
    if (page === undefined) {
      page = new Uint32Array(PAGE_WORDS);
      this.#pages[at] = page;
    }
    const word = (port % PAGE_PORTS) >> 5;
    page[word] = (page[word] as number) ^ (1 << (port & 31));
  }
}
