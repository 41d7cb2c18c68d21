import { type ClaimAsk, claimAskOf, type PortAsk } from "@steppe/model";
import type { AllocatedDeviceResource, Claims, TaskGroup } from "@steppe/proto";
import { addressFor, type HoldingsOverlay, type NodeColumns } from "@steppe/state";
import { DeviceRequest } from "../feasible/device.ts";
import type { Scratch } from "../scratch.ts";
import { type ChosenDevices, chooseDevices } from "./devices.ts";
import { PortChooser } from "./ports.ts";

/** What an allocation was given, as a plan tells it: the state finds the addresses again. */
export type Taken = Pick<Claims, "Ports" | "Devices" | "Cores">;

const NONE: AllocatedDeviceResource[] = [];

const NO_DEVICES = "devices: no devices match request";

/** Chooses ports, devices and whole cores for allocations of one group, and marks them taken as the plan grows. */
export class Claimant {
  readonly isEmpty: boolean;
  /** Some task prefers some devices. */
  readonly hasPreference: boolean;
  readonly #ask: ClaimAsk;
  readonly #nodes: NodeColumns;
  readonly #holdings: HoldingsOverlay;
  readonly #ports: PortChooser;
  readonly #requests: readonly DeviceRequest[];
  /** Nothing but dynamic ports of the host network "default", which columns nearly always tell of. */
  readonly #onlyPlainPorts: boolean;
  /** Filled anew for each allocation: thousands are placed in one pass. */
  readonly #taken: Claims = { Ports: [], HostIPs: [], Devices: NONE, Cores: [] };

  constructor(group: TaskGroup, nodes: NodeColumns, holdings: HoldingsOverlay, seed: number) {
    this.#ask = claimAskOf(group);
    this.#nodes = nodes;
    this.#holdings = holdings;
    this.#ports = new PortChooser(this.#ask, holdings, seed);
    this.#requests = this.#ask.devices.map((ask) => new DeviceRequest(ask));
    this.#onlyPlainPorts = this.#ports.isPlain && this.#requests.length === 0 && this.#ask.coreCount === 0;
    this.isEmpty = this.#ask.isEmpty;
    this.hasPreference = this.#requests.some(({ totalWeight }) => totalWeight > 0);
  }

  fits(slot: number): boolean {
    if (this.isEmpty || (this.#onlyPlainPorts && this.#ports.surelyFits(slot))) return true;
    return this.lacking(slot) === undefined;
  }

  /** Those of the slots that fit. */
  fitting(slots: Int32Array, scratch: Scratch): Int32Array {
    if (this.isEmpty) return slots;
    const into = scratch.ints(slots.length);
    let length = 0;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as number;
      if (this.fits(slot)) into[length++] = slot;
    }
    return into.subarray(0, length);
  }

  /** What there is not enough of, in the words of the API's metrics. */
  lacking(slot: number): string | undefined {
    if (this.isEmpty) return undefined;
    if (this.#ask.coreCount > 0 && !this.#hasCores(slot)) return "cores";
    if (this.#requests.length === 0 && this.#ports.surelyFits(slot)) return undefined;
    const node = this.#nodes.nodes[slot];
    const networks = this.#nodes.networks[slot];
    if (node === undefined || networks === undefined) return "network: invalid node";
    const lacking = this.#ask.ports.length === 0 ? undefined : this.#ports.lacking(slot, networks, node);
    if (lacking !== undefined || this.#requests.length === 0) return lacking;
    return this.#chooseDevices(slot) === undefined ? NO_DEVICES : undefined;
  }

  /**
   * Takes what the next allocation gets in a slot that fits; undefined when it needs nothing to
   * itself. The answer stands until the next call, its devices for good.
   */
  take(slot: number): Taken | undefined {
    if (this.isEmpty) return undefined;
    const claims = this.#taken;
    if (this.#onlyPlainPorts && this.#ports.takePlain(slot, claims.Ports)) return claims;
    const node = this.#nodes.nodes[slot];
    const networks = this.#nodes.networks[slot];
    if (node === undefined || networks === undefined) return undefined;
    claims.Devices = this.#chooseDevices(slot)?.devices ?? NONE;
    for (let i = 0; i < this.#ask.ports.length; i++) {
      const ask = this.#ask.ports[i] as PortAsk;
      const address = addressFor(networks, ask, node);
      if (address === undefined) throw new Error("a slot was chosen that has no address for a port");
      claims.HostIPs[i] = address.ip;
      claims.Ports[i] = ask.value || this.#ports.choose(slot, networks, address, claims, i);
    }
    this.#takeCores(slot, claims.Cores);
    this.#holdings.take(slot, claims);
    return claims;
  }

  /** An allocation goes, or comes back after all; also one of an older version of the group. */
  free(slot: number, claims: Claims | undefined): void {
    this.#holdings.free(slot, claims);
  }

  restore(slot: number, claims: Claims | undefined): void {
    this.#holdings.restore(slot, claims);
  }

  /** How far the devices that an allocation would get are the preferred ones: -1 to 1; NaN when there is no preference. */
  preference(slot: number): number {
    if (!this.hasPreference) return Number.NaN;
    const total = this.#requests.reduce((sum, { totalWeight }) => sum + totalWeight, 0);
    return (this.#chooseDevices(slot)?.weight ?? 0) / total;
  }

  #hasCores(slot: number): boolean {
    let lacking = this.#ask.coreCount;
    for (const core of this.#nodes.cores[slot] ?? []) {
      if (!this.#holdings.isCoreHeld(slot, core) && --lacking === 0) return true;
    }
    return false;
  }

  /** The lowest that are free. */
  #takeCores(slot: number, into: number[]): void {
    into.length = 0;
    if (this.#ask.coreCount === 0) return;
    for (const core of this.#nodes.cores[slot] ?? []) {
      if (into.length === this.#ask.coreCount) return;
      if (!this.#holdings.isCoreHeld(slot, core)) into.push(core);
    }
  }

  #chooseDevices(slot: number): ChosenDevices | undefined {
    if (this.#requests.length === 0) return undefined;
    const kinds = this.#nodes.nodes[slot]?.NodeResources?.Devices ?? [];
    return chooseDevices(this.#requests, kinds, (key) => this.#holdings.isDeviceHeld(slot, key));
  }
}
