import { computedClass, coreSpeed, reservableCores } from "@steppe/model";
import type { Claims, Node } from "@steppe/proto";
import type { AllocationState, Ask } from "./allocations.ts";
import { Holdings } from "./holdings.ts";
import { type DynamicRange, NetworkReader, type NodeNetworks } from "./node-networks.ts";

/**
 * Nodes as columns: one slot a node, so that a scheduling pass over all of them touches a few
 * typed arrays. Slots of purged nodes are used again; `nodes[slot]` is then undefined.
 *
 * Units: CPU in MHz, memory and disk in MB. Capacity is what the node has less what it reserves.
 */
export class NodeTable {
  /** Another object after each change of a node: what was worked out of nodes alone stands as long as it is the same. */
  revision: object = {};
  /** Slots in use or used before; columns are valid below it. */
  length = 0;
  readonly slotOf: Map<string, number> = new Map();
  readonly nodes: (Node | undefined)[] = [];
  /** By slot, also of nodes that were purged: a plan lists those that it places on without a look at the nodes themselves. */
  readonly ids: string[] = [];
  /** All allocations of the node in a slot, terminal ones too. */
  readonly allocations: Set<AllocationState>[] = [];
  /** The same sets by node ID; those of purged nodes stay until their allocations go. */
  readonly #allocationsOf: Map<string, Set<AllocationState>> = new Map();
  cpu: Float64Array = new Float64Array(0);
  memory: Float64Array = new Float64Array(0);
  disk: Float64Array = new Float64Array(0);
  usedCpu: Float64Array = new Float64Array(0);
  usedMemory: Float64Array = new Float64Array(0);
  usedDisk: Float64Array = new Float64Array(0);
  /** MHz of one core. */
  coreMhz: Float64Array = new Float64Array(0);
  /** By slot: cores that tasks may have to themselves. */
  readonly cores: (readonly number[])[] = [];
  /** 1 = ready, eligible and not draining: may take placements. */
  usable: Uint8Array = new Uint8Array(0);
  /** Position in `classes`. */
  classOf: Int32Array = new Int32Array(0);
  /** By slot: where the node gives out ports. */
  readonly networks: (NodeNetworks | undefined)[] = [];
  /** By slot: its dynamic ports on the host network "default"; undefined when it gives out none there. Nodes alike share them. */
  readonly dynamicRanges: (DynamicRange | undefined)[] = [];
  /** By slot: ports and devices in use; undefined where there are none. */
  readonly holdings: (Holdings | undefined)[] = [];
  /** By slot: dynamic ports that the node does not reserve on its host network "default". */
  dynamicPorts: Int32Array = new Int32Array(0);
  /** By slot: ports that allocations hold, on whichever address. */
  portsHeld: Int32Array = new Int32Array(0);
  readonly classes: string[] = [];
  readonly #classNumbers: Map<string, number> = new Map();
  readonly #freeSlots: number[] = [];
  readonly #networkReader = new NetworkReader();

  get(id: string): Node | undefined {
    const slot = this.slotOf.get(id);
    return slot === undefined ? undefined : this.nodes[slot];
  }

  slot(id: string): number {
    return this.slotOf.get(id) ?? -1;
  }

  get size(): number {
    return this.slotOf.size;
  }

  /** Adds or replaces a node. Its allocations and what they use stay. */
  put(node: Node): number {
    this.revision = {};
    let slot = this.slotOf.get(node.ID);
    if (slot === undefined) {
      slot = this.#freeSlots.pop() ?? this.length++;
      this.#grow(slot + 1);
      this.slotOf.set(node.ID, slot);
      this.allocations[slot] = this.#setOf(node.ID);
      this.#clearUse(slot);
      this.coreMhz[slot] = coreSpeed(node.NodeResources);
    }
    if (!sameNetworks(node, this.nodes[slot])) this.#readNetworks(slot, node);
    this.nodes[slot] = node;
    this.ids[slot] = node.ID;
    this.#readCores(slot, node);
    const capacity = capacityOf(node);
    this.cpu[slot] = capacity.cpu;
    this.memory[slot] = capacity.memoryMb;
    this.disk[slot] = capacity.diskMb;
    this.usable[slot] = isUsable(node) ? 1 : 0;
    this.classOf[slot] = this.#classNumber(node.ComputedClass || computedClass(node));
    return slot;
  }

  remove(id: string): void {
    const slot = this.slotOf.get(id);
    if (slot === undefined) return;
    this.revision = {};
    this.slotOf.delete(id);
    this.nodes[slot] = undefined;
    this.networks[slot] = undefined;
    this.dynamicRanges[slot] = undefined;
    this.dynamicPorts[slot] = 0;
    this.allocations[slot] = new Set();
    this.usable[slot] = 0;
    this.cpu[slot] = 0;
    this.memory[slot] = 0;
    this.disk[slot] = 0;
    this.#clearUse(slot);
    this.#freeSlots.push(slot);
  }

  /** `slot`: of its node; negative when that is gone. */
  addAllocation(allocation: AllocationState, slot: number): void {
    (this.allocations[slot] ?? this.#setOf(allocation.NodeID)).add(allocation);
  }

  removeAllocation(allocation: AllocationState): void {
    const set = this.#setOf(allocation.NodeID);
    set.delete(allocation);
    if (set.size === 0 && !this.slotOf.has(allocation.NodeID)) this.#allocationsOf.delete(allocation.NodeID);
  }

  allocationsOf(nodeId: string): ReadonlySet<AllocationState> {
    return this.#allocationsOf.get(nodeId) ?? NO_ALLOCATIONS;
  }

  take(slot: number, ask: Ask): void {
    this.usedCpu[slot] = (this.usedCpu[slot] as number) + this.cpuOf(slot, ask);
    this.usedMemory[slot] = (this.usedMemory[slot] as number) + ask.memoryMb;
    this.usedDisk[slot] = (this.usedDisk[slot] as number) + ask.diskMb;
  }

  free(slot: number, ask: Ask): void {
    this.usedCpu[slot] = (this.usedCpu[slot] as number) - this.cpuOf(slot, ask);
    this.usedMemory[slot] = (this.usedMemory[slot] as number) - ask.memoryMb;
    this.usedDisk[slot] = (this.usedDisk[slot] as number) - ask.diskMb;
  }

  /** MHz that an ask takes in a slot. */
  cpuOf(slot: number, { cpu, cores }: Ask): number {
    return cores === 0 ? cpu : cpu + cores * (this.coreMhz[slot] as number);
  }

  /** Ports, devices and cores that an allocation has to itself. */
  hold(slot: number, claims: Claims): void {
    let holdings = this.holdings[slot];
    if (holdings === undefined) {
      holdings = new Holdings();
      this.holdings[slot] = holdings;
    }
    holdings.add(claims);
    this.portsHeld[slot] = (this.portsHeld[slot] as number) + claims.Ports.length;
  }

  release(slot: number, claims: Claims): void {
    const holdings = this.holdings[slot];
    if (holdings === undefined) return;
    holdings.remove(claims);
    this.portsHeld[slot] = (this.portsHeld[slot] as number) - claims.Ports.length;
    if (holdings.isEmpty) this.holdings[slot] = undefined;
  }

  className(slot: number): string {
    return this.classes[this.classOf[slot] as number] as string;
  }

  #setOf(nodeId: string): Set<AllocationState> {
    let set = this.#allocationsOf.get(nodeId);
    if (set === undefined) {
      set = new Set();
      this.#allocationsOf.set(nodeId, set);
    }
    return set;
  }

  #readNetworks(slot: number, node: Node): void {
    const networks = this.#networkReader.read(node);
    this.networks[slot] = networks;
    this.dynamicRanges[slot] = this.#networkReader.rangeOf(networks);
    this.dynamicPorts[slot] = networks.valid ? (networks.byDefault?.dynamicPorts ?? 0) : 0;
  }

  /** Where the cores run at another speed than before, what they take of the node is another. */
  #readCores(slot: number, node: Node): void {
    this.cores[slot] = reservableCores(node);
    const speed = coreSpeed(node.NodeResources);
    const faster = speed - (this.coreMhz[slot] as number);
    this.coreMhz[slot] = speed;
    if (faster === 0) return;
    for (const { Ask, terminal } of this.allocations[slot] ?? []) {
      if (!terminal) this.usedCpu[slot] = (this.usedCpu[slot] as number) + Ask.cores * faster;
    }
  }

  #clearUse(slot: number): void {
    this.portsHeld[slot] = 0;
    this.holdings[slot] = undefined;
    this.usedCpu[slot] = 0;
    this.usedMemory[slot] = 0;
    this.usedDisk[slot] = 0;
  }

  #classNumber(name: string): number {
    let number = this.#classNumbers.get(name);
    if (number === undefined) {
      number = this.classes.push(name) - 1;
      this.#classNumbers.set(name, number);
    }
    return number;
  }

  #grow(length: number): void {
    if (length <= this.cpu.length) return;
    const size = Math.max(64, 2 * this.cpu.length, length);
    const widen = (column: Float64Array) => {
      const wider = new Float64Array(size);
      wider.set(column);
      return wider;
    };
    this.cpu = widen(this.cpu);
    this.memory = widen(this.memory);
    this.disk = widen(this.disk);
    this.usedCpu = widen(this.usedCpu);
    this.usedMemory = widen(this.usedMemory);
    this.usedDisk = widen(this.usedDisk);
    this.coreMhz = widen(this.coreMhz);
    const usable = new Uint8Array(size);
    usable.set(this.usable);
    this.usable = usable;
    this.classOf = widenNumbers(this.classOf, size);
    this.dynamicPorts = widenNumbers(this.dynamicPorts, size);
    this.portsHeld = widenNumbers(this.portsHeld, size);
  }
}

function widenNumbers(column: Int32Array, size: number): Int32Array {
  const wider = new Int32Array(size);
  wider.set(column);
  return wider;
}

/** Changes of status leave what the agent reported as it is. */
function sameNetworks(node: Node, before: Node | undefined): boolean {
  return (
    before !== undefined &&
    node.NodeResources === before.NodeResources &&
    node.ReservedResources === before.ReservedResources &&
    node.Resources === before.Resources &&
    node.Reserved === before.Reserved
  );
}

const NO_ALLOCATIONS: ReadonlySet<AllocationState> = new Set();

export function isUsable(node: Node): boolean {
  return node.Status === "ready" && node.SchedulingEligibility !== "ineligible" && !node.Drain;
}

/** What a node offers to allocations: its resources less its own reserve. Old agents report only `Resources`. */
export function capacityOf(node: Node): Omit<Ask, "cores"> {
  const { NodeResources: has, ReservedResources: keeps, Resources: had, Reserved: kept } = node;
  return {
    cpu: (has?.Cpu?.CpuShares ?? had?.CPU ?? 0) - (keeps?.Cpu?.CpuShares ?? kept?.CPU ?? 0),
    memoryMb: (has?.Memory?.MemoryMB ?? had?.MemoryMB ?? 0) - (keeps?.Memory?.MemoryMB ?? kept?.MemoryMB ?? 0),
    diskMb: (has?.Disk?.DiskMB ?? had?.DiskMB ?? 0) - (keeps?.Disk?.DiskMB ?? kept?.DiskMB ?? 0),
  };
}
