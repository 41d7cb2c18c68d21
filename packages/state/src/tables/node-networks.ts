import { type PortAsk, parsePortRanges, resolveTarget } from "@steppe/model";
import type { Node } from "@steppe/proto";
import { PortSet } from "./port-set.ts";

/** The peer's range, for nodes that tell none. */
const DYNAMIC_MIN = 20_000;
const DYNAMIC_MAX = 32_000;

/** An address of a node, and the ports there that it keeps to itself. */
export interface HostAddress {
  readonly ip: string;
  /** Position among the node's addresses. */
  readonly place: number;
  readonly reserved: PortSet;
  /** Dynamic ports that are not reserved. */
  readonly dynamicPorts: number;
}

/** Addresses a node on which ports are given out; far more than any has. */
const ADDRESSES_MAX = 63;

/** Where a node gives out ports. Immutable: a node that tells something else gets another one. */
export interface NodeNetworks {
  /** By name of the host network: its first address. */
  readonly byAlias: ReadonlyMap<string, HostAddress>;
  /** The host network "default", which nearly all ports are on. */
  readonly byDefault: HostAddress | undefined;
  /** For networks in the older form, at a task: the node's main address. */
  readonly main: HostAddress | undefined;
  /** Every address among those, once. */
  readonly addresses: readonly string[];
  /** Dynamic ports, both ends included. */
  readonly dynamicMin: number;
  readonly dynamicMax: number;
  /** False when what the node says of its reserved ports cannot be read: it then gives out none. */
  readonly valid: boolean;
}

/** The dynamic ports of one address, both ends included, and those of them that are not given out. */
export interface DynamicRange {
  readonly min: number;
  readonly max: number;
  readonly reserved: PortSet;
  /** Position among the node's addresses. */
  readonly place: number;
}

/** Reads nodes; nodes that reserve the same ports share the set of them. */
export class NetworkReader {
  readonly #reserved: Map<string, PortSet | undefined> = new Map();
  /** Nodes that are alike mostly come one after the other. */
  #lastRange: DynamicRange | undefined = undefined;

  read({ NodeResources: has, ReservedResources: keeps, Resources: had, Reserved: kept }: Node): NodeNetworks {
    const dynamicMin = has?.MinDynamicPort || DYNAMIC_MIN;
    const dynamicMax = has?.MaxDynamicPort || DYNAMIC_MAX;
    // Old agents list what they reserve as ports of a network.
    const older = (kept?.Networks ?? []).flatMap((it) => [...it.ReservedPorts, ...it.DynamicPorts]);
    const everywhere = keeps?.Networks?.ReservedHostPorts || older.map(({ Value }) => Value).join(",");
    let valid = true;
    const addresses: string[] = [];
    const address = (ip: string, more: string): HostAddress | undefined => {
      if (!addresses.includes(ip)) {
        if (addresses.length === ADDRESSES_MAX) return undefined;
        addresses.push(ip);
      }
      const reserved = this.#portsOf([everywhere, more].filter((it) => it !== "").join(","));
      valid &&= reserved !== undefined;
      const ports = reserved ?? new PortSet();
      const span = Math.max(0, dynamicMax - dynamicMin + 1);
      const place = addresses.indexOf(ip);
      return { ip, place, reserved: ports, dynamicPorts: span - ports.countWithin(dynamicMin, dynamicMax) };
    };
    const byAlias = new Map<string, HostAddress>();
    for (const { Alias, Address, ReservedPorts } of (has?.NodeNetworks ?? []).flatMap((it) => it.Addresses)) {
      const found = byAlias.has(Alias) ? undefined : address(Address, ReservedPorts);
      if (found !== undefined) byAlias.set(Alias, found);
    }
    const networks = has !== undefined && has.Networks.length > 0 ? has.Networks : (had?.Networks ?? []);
    const main = networks.find(({ Device, IP }) => Device !== "" && IP !== "");
    const mainAddress = main && address(main.IP, "");
    const byDefault = byAlias.get("default");
    return { byAlias, byDefault, main: mainAddress, addresses, dynamicMin, dynamicMax, valid };
  }

  /** Those of the host network "default". */
  rangeOf({ byDefault, dynamicMin: min, dynamicMax: max, valid }: NodeNetworks): DynamicRange | undefined {
    if (!valid || byDefault === undefined || max < min) return undefined;
    const { reserved, place } = byDefault;
    const last = this.#lastRange;
    if (last?.min === min && last.max === max && last.reserved === reserved && last.place === place) return last;
    this.#lastRange = { min, max, reserved, place };
    return this.#lastRange;
  }

  #portsOf(text: string): PortSet | undefined {
    if (this.#reserved.has(text)) return this.#reserved.get(text);
    const ranges = parsePortRanges(text);
    const ports = ranges && new PortSet();
    for (const [from, to] of ranges ?? []) {
      for (let port = from; port <= to; port++) if (ports?.has(port) === false) ports.add(port);
    }
    if (this.#reserved.size >= TEXTS_MAX) this.#reserved.clear();
    this.#reserved.set(text, ports);
    return ports;
  }
}

/** Texts kept; nearly all nodes say the same. */
const TEXTS_MAX = 256;

/** Where a node gives out a port; undefined when it has no such address. */
export function addressFor(networks: NodeNetworks, ask: PortAsk, node: Node): HostAddress | undefined {
  if (ask.task !== "") return networks.main;
  if (ask.hostNetwork === "default") return networks.byDefault;
  const alias = resolveTarget(ask.hostNetwork, node);
  return alias === undefined ? undefined : networks.byAlias.get(alias);
}
