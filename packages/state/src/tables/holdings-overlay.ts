import type { Claims } from "@steppe/proto";
import { instanceKeys } from "./holdings.ts";
import type { DynamicRange, HostAddress, NodeNetworks } from "./node-networks.ts";
import { PortChanges } from "./port-changes.ts";
import type { PortSet } from "./port-set.ts";

/** The part of a node's holdings that is looked at. */
export interface HoldingsView {
  readonly ports: ReadonlyMap<string, Pick<PortSet, "has" | "count" | "size">>;
  readonly devices: ReadonlyMap<string, number>;
  readonly cores: ReadonlyMap<number, number>;
}

/** The columns of the node table that matter here; see `NodeTable`. */
interface HeldColumns {
  readonly length: number;
  readonly networks: readonly (NodeNetworks | undefined)[];
  readonly holdings: readonly (HoldingsView | undefined)[];
  readonly dynamicRanges: readonly (DynamicRange | undefined)[];
  readonly dynamicPorts: Readonly<Int32Array>;
  readonly portsHeld: Readonly<Int32Array>;
}

/** Addresses a node; the reader of networks takes no more. */
const ADDRESSES_MAX = 64;

/** Who holds what, as a plan changes it; the state stays as it is. */
export class HoldingsOverlay {
  readonly #nodes: HeldColumns;
  readonly #column: (length: number) => Int32Array;
  /** By slot and address, and port: holders more or fewer than in the state. */
  readonly #ports: PortChanges;
  /** By slot: the same by device instance. */
  readonly #devices: Map<number, Map<string, number>> = new Map();
  /** By slot: the same by core. */
  readonly #cores: Map<number, Map<number, number>> = new Map();
  /** By slot: ports taken so far, whatever was freed. Made with the first: most plans take none. */
  #portsTaken: Int32Array | undefined = undefined;

  /** `column`: gives so many zeros, or more, for it alone. */
  constructor(nodes: HeldColumns, column: (length: number) => Int32Array = (length) => new Int32Array(length)) {
    this.#nodes = nodes;
    this.#column = column;
    this.#ports = new PortChanges(column);
  }

  isPortHeld(slot: number, { ip, place }: HostAddress, port: number): boolean {
    const more = this.#ports.get(slot * ADDRESSES_MAX + place, port);
    const ports = this.#nodes.holdings[slot]?.ports.get(ip);
    return more === 0 ? ports?.has(port) === true : (ports?.count(port) ?? 0) + more > 0;
  }

  isDeviceHeld(slot: number, key: string): boolean {
    const more = this.#devices.get(slot)?.get(key) ?? 0;
    return (this.#nodes.holdings[slot]?.devices.get(key) ?? 0) + more > 0;
  }

  isCoreHeld(slot: number, core: number): boolean {
    const more = this.#cores.get(slot)?.get(core) ?? 0;
    return (this.#nodes.holdings[slot]?.cores.get(core) ?? 0) + more > 0;
  }

  /** At least so many dynamic ports of the host network "default" are free. Looks at columns alone. */
  freeDynamicLeast(slot: number): number {
    const { dynamicPorts, portsHeld } = this.#nodes;
    return (dynamicPorts[slot] as number) - (portsHeld[slot] as number) - (this.#portsTaken?.[slot] ?? 0);
  }

  /** Where ports of the host network "default" may be taken one by one. */
  dynamicRange(slot: number): DynamicRange | undefined {
    return this.#nodes.dynamicRanges[slot];
  }

  /** Takes a port of the node's range, if it is neither reserved nor held. */
  takeDynamic(slot: number, { place, reserved }: DynamicRange, port: number): boolean {
    if (reserved.has(port)) return false;
    const held = this.#nodes.holdings[slot];
    const ip = held === undefined ? undefined : this.#nodes.networks[slot]?.byDefault?.ip;
    const holders = ip === undefined ? 0 : (held?.ports.get(ip)?.count(port) ?? 0);
    if (!this.#ports.addWhere(slot * ADDRESSES_MAX + place, port, holders)) return false;
    this.#countTaken(slot, 1);
    return true;
  }

  /** Takes that back. */
  returnDynamic(slot: number, { place }: DynamicRange, port: number): void {
    this.#ports.add(slot * ADDRESSES_MAX + place, port, -1);
    this.#countTaken(slot, -1);
  }

  take(slot: number, claims: Claims | undefined): void {
    if (claims === undefined || slot < 0) return;
    if (claims.Ports.length > 0) this.#countTaken(slot, claims.Ports.length);
    this.#change(slot, claims, 1);
  }

  free(slot: number, claims: Claims | undefined): void {
    if (claims !== undefined && slot >= 0) this.#change(slot, claims, -1);
  }

  /** Takes back what was freed. */
  restore(slot: number, claims: Claims | undefined): void {
    if (claims !== undefined && slot >= 0) this.#change(slot, claims, 1);
  }

  #countTaken(slot: number, ports: number): void {
    this.#portsTaken ??= this.#column(this.#nodes.length);
    this.#portsTaken[slot] = (this.#portsTaken[slot] as number) + ports;
  }

  #change(slot: number, { Ports, HostIPs, Devices, Cores }: Claims, by: 1 | -1): void {
    for (let i = 0; i < Ports.length; i++) {
      this.#ports.add(this.#place(slot, HostIPs[i] as string), Ports[i] as number, by);
    }
    if (Devices.length > 0) changeAll(this.#devices, slot, instanceKeys(Devices), by);
    if (Cores.length > 0) changeAll(this.#cores, slot, Cores, by);
  }

  /** An address that the node no longer has is nobody's to ask for. */
  #place(slot: number, ip: string): number {
    const networks = this.#nodes.networks[slot];
    const at = networks?.byDefault?.ip === ip ? networks.byDefault.place : (networks?.addresses.indexOf(ip) ?? -1);
    return slot * ADDRESSES_MAX + (at < 0 ? ADDRESSES_MAX - 1 : at);
  }
}

function changeAll<K>(bySlot: Map<number, Map<K, number>>, slot: number, keys: readonly K[], by: 1 | -1): void {
  let changes = bySlot.get(slot);
  if (changes === undefined) {
    changes = new Map();
    bySlot.set(slot, changes);
  }
  for (const key of keys) changes.set(key, (changes.get(key) ?? 0) + by);
}
