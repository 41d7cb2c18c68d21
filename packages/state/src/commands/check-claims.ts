import { type ClaimAsk, claimAskOf, type DeviceAsk, isDeviceKind } from "@steppe/model";
import type { AllocatedDeviceResource, Claims, Node, Placements, TaskGroup } from "@steppe/proto";
import type { State } from "../state.ts";
import type { AllocationState } from "../tables/allocations.ts";
import { instanceKey, instanceKeys } from "../tables/holdings.ts";
import { HoldingsOverlay } from "../tables/holdings-overlay.ts";
import { addressFor } from "../tables/node-networks.ts";

/** What a row has to itself: nothing, something, or something that it may not have. */
export type RowClaims = { readonly claims: Claims | undefined } | "refused";

const NOTHING: RowClaims = { claims: undefined };

/** Ports, devices and cores on all nodes, as the plan frees and takes them. */
export class ClaimCheck {
  readonly #state: State;
  readonly #overlay: HoldingsOverlay;

  constructor(state: State, stopped: ReadonlySet<AllocationState>) {
    this.#state = state;
    this.#overlay = new HoldingsOverlay(state.nodes);
    for (const { NodeID, Claims } of stopped) this.#overlay.free(state.nodes.slot(NodeID), Claims);
  }

  /** Reads a row's claims, and refuses them when any of it is taken at this point of the log, or is not the node's to give. */
  read(group: TaskGroup, placements: Placements, row: number, slot: number): RowClaims {
    const ask = claimAskOf(group);
    if (ask.isEmpty) return NOTHING;
    const node = this.#state.nodes.nodes[slot];
    const claims = node && this.#portsOf(ask, placements, row, slot, node);
    if (claims === undefined || !this.#devicesFit(ask.devices, claims.Devices, slot, node as Node)) return "refused";
    if (!this.#coresFit(ask.coreCount, claims.Cores, slot)) return "refused";
    return { claims };
  }

  /** What a row evicts leaves what it holds to the row. */
  free(slot: number, victims: readonly AllocationState[]): void {
    for (const { Claims } of victims) this.#overlay.free(slot, Claims);
  }

  restore(slot: number, victims: readonly AllocationState[]): void {
    for (const { Claims } of victims) this.#overlay.restore(slot, Claims);
  }

  take(slot: number, claims: Claims | undefined): void {
    this.#overlay.take(slot, claims);
  }

  #portsOf(ask: ClaimAsk, placements: Placements, row: number, slot: number, node: Node): Claims | undefined {
    const networks = this.#state.nodes.networks[slot];
    if (networks === undefined || (ask.ports.length > 0 && !networks.valid)) return undefined;
    const Cores = placements.Cores.slice(row * ask.coreCount, (row + 1) * ask.coreCount);
    const claims: Claims = { Ports: [], HostIPs: [], Devices: placements.Devices[row]?.Devices ?? [], Cores };
    let dynamic = row * ask.dynamicPorts;
    for (const it of ask.ports) {
      const address = addressFor(networks, it, node);
      const isDynamic = it.value === 0;
      const port = isDynamic ? (placements.DynamicPorts[dynamic++] ?? 0) : it.value;
      if (address === undefined) return undefined;
      if (isDynamic && (port < networks.dynamicMin || port > networks.dynamicMax)) return undefined;
      const taken =
        address.reserved.has(port) || this.#overlay.isPortHeld(slot, address, port) || has(claims, address.ip, port);
      if (taken && !it.shared) return undefined;
      claims.Ports.push(port);
      claims.HostIPs.push(address.ip);
    }
    return claims;
  }

  #coresFit(count: number, given: readonly number[], slot: number): boolean {
    const cores = this.#state.nodes.cores[slot] ?? [];
    return (
      given.length === count &&
      new Set(given).size === count &&
      given.every((core) => cores.includes(core) && !this.#overlay.isCoreHeld(slot, core))
    );
  }

  #devicesFit(
    asks: readonly DeviceAsk[],
    given: readonly AllocatedDeviceResource[],
    slot: number,
    node: Node,
  ): boolean {
    const keys = instanceKeys(given);
    return (
      given.length === asks.length &&
      new Set(keys).size === keys.length &&
      keys.every((key) => !this.#overlay.isDeviceHeld(slot, key)) &&
      asks.every((ask, i) => isThere(ask, given[i] as AllocatedDeviceResource, node))
    );
  }
}

/** Twice within one allocation. */
function has({ Ports, HostIPs }: Claims, ip: string, port: number): boolean {
  return Ports.some((other, i) => other === port && HostIPs[i] === ip);
}

/** The node has these devices, healthy, and they are what was asked for as far as their name and number say. */
function isThere({ request, count }: DeviceAsk, given: AllocatedDeviceResource, node: Node): boolean {
  if (given.DeviceIDs.length !== count || !isDeviceKind(request.Name, given)) return false;
  const healthy = new Set<string>();
  for (const kind of node.NodeResources?.Devices ?? []) {
    for (const { ID, Healthy } of kind.Instances) if (Healthy) healthy.add(instanceKey(kind, ID));
  }
  return given.DeviceIDs.every((id) => healthy.has(instanceKey(given, id)));
}
