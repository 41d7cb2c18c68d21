import type { ClaimAsk, PortAsk } from "@steppe/model";
import type { Claims, Node } from "@steppe/proto";
import { addressFor, type HoldingsOverlay, type HostAddress, type NodeNetworks } from "@steppe/state";

/** Random ports tried before all are looked at. */
const PROBES = 20;

/** Finds room for the ports of one group, and chooses dynamic ones at random: workers that race then seldom choose the same. */
export class PortChooser {
  readonly #asks: readonly PortAsk[];
  readonly #holdings: HoldingsOverlay;
  /** All ports are dynamic ones of the host network "default". */
  readonly isPlain: boolean;
  /** By ask, made once: a static port lacks on many nodes. */
  readonly #collisions: readonly string[];
  #random: number;

  constructor({ ports }: ClaimAsk, holdings: HoldingsOverlay, seed: number) {
    this.#asks = ports;
    this.#holdings = holdings;
    this.#collisions = ports.map(({ label, value }) => `network: reserved port collision ${label}=${value}`);
    this.isPlain = ports.every((it) => it.value === 0 && it.task === "" && it.hostNetwork === "default");
    this.#random = seed >>> 0;
  }

  /** Nearly always told by columns alone. */
  surelyFits(slot: number): boolean {
    return this.isPlain && this.#holdings.freeDynamicLeast(slot) >= this.#asks.length;
  }

  /** Why the node cannot give the ports; undefined when it can. */
  lacking(slot: number, networks: NodeNetworks, node: Node): string | undefined {
    if (!networks.valid) return "network: invalid node";
    for (let i = 0; i < this.#asks.length; i++) {
      const ask = this.#asks[i] as PortAsk;
      const address = addressFor(networks, ask, node);
      if (address === undefined) return noAddress(ask);
      if (ask.value === 0) {
        if (!this.#hasDynamic(slot, networks, address, node)) return "network: dynamic port selection failed";
      } else if (!ask.shared && this.#collides(slot, i, address, networks, node)) {
        return this.#collisions[i];
      }
    }
    return undefined;
  }

  /** A dynamic port that is neither held nor among the first so many ports that the allocation has got already. */
  choose(slot: number, networks: NodeNetworks, address: HostAddress, claims: Claims, soFar: number): number {
    const { dynamicMin: min, dynamicMax: max } = networks;
    const isFree = (port: number) =>
      this.#isFree(slot, address, port) && !has(claims, soFar, address.ip, port) && !this.#isAskedFor(port);
    for (let probe = 0; probe < PROBES; probe++) {
      const port = min + this.#next(max - min + 1);
      if (isFree(port)) return port;
    }
    for (let port = min; port <= max; port++) if (isFree(port)) return port;
    throw new Error("a port was chosen on a node that has none left");
  }

  /**
   * Takes dynamic ports of the host network "default" by columns alone; false when some was not
   * found in a few tries. Objects of thousands of nodes are seldom in the processor's caches.
   */
  takePlain(slot: number, into: number[]): boolean {
    const range = this.#holdings.dynamicRange(slot);
    if (range === undefined) return false;
    const span = range.max - range.min + 1;
    for (let i = 0; i < this.#asks.length; i++) {
      let probe = 0;
      let port: number;
      do {
        if (probe++ === PROBES) {
          while (i-- > 0) this.#holdings.returnDynamic(slot, range, into[i] as number);
          return false;
        }
        port = range.min + this.#next(span);
      } while (!this.#holdings.takeDynamic(slot, range, port));
      into[i] = port;
    }
    return true;
  }

  #hasDynamic(slot: number, networks: NodeNetworks, address: HostAddress, node: Node): boolean {
    const { ip } = address;
    let wanted = this.#asks.filter((ask) => ask.value === 0 && addressFor(networks, ask, node)?.ip === ip).length;
    for (let port = networks.dynamicMin; port <= networks.dynamicMax && wanted > 0; port++) {
      if (this.#isFree(slot, address, port) && !this.#isAskedFor(port)) wanted -= 1;
    }
    return wanted === 0;
  }

  #collides(slot: number, i: number, address: HostAddress, networks: NodeNetworks, node: Node): boolean {
    const { value } = this.#asks[i] as PortAsk;
    const earlier = this.#asks
      .slice(0, i)
      .some((other) => other.value === value && addressFor(networks, other, node)?.ip === address.ip);
    return earlier || !this.#isFree(slot, address, value);
  }

  #isFree(slot: number, address: HostAddress, port: number): boolean {
    return !address.reserved.has(port) && !this.#holdings.isPortHeld(slot, address, port);
  }

  /** As a static port of the same group, on whichever address: that is simplest, and takes next to nothing away. */
  #isAskedFor(port: number): boolean {
    for (const { value } of this.#asks) if (value === port) return true;
    return false;
  }

  /** Below a bound; xorshift. */
  #next(bound: number): number {
    let x = this.#random || 0x9e3779b9;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random % bound;
  }
}

function noAddress({ task, hostNetwork }: PortAsk): string {
  return task === "" ? `network: no addresses available for ${hostNetwork} network` : "network: no networks available";
}

function has({ Ports, HostIPs }: Claims, count: number, ip: string, port: number): boolean {
  for (let i = 0; i < count; i++) if (Ports[i] === port && HostIPs[i] === ip) return true;
  return false;
}
