import type { Ask, NodeColumns } from "@steppe/state";
import type { Scratch } from "./scratch.ts";

/** What ran out on a node, in the words of the API's metrics. */
export const DIMENSIONS = ["cpu", "memory", "disk"] as const;

/** What would stay free with one more ask, as shares of the whole. */
export interface FreeShares {
  readonly cpu: Float64Array;
  readonly memory: Float64Array;
}

/** Resources of all nodes as the plan changes them; the state's own columns stay as they are. */
export class Room {
  readonly #cpu: Readonly<Float64Array>;
  readonly #memory: Readonly<Float64Array>;
  readonly #disk: Readonly<Float64Array>;
  readonly #coreMhz: Readonly<Float64Array>;
  readonly #usedCpu: Float64Array;
  readonly #usedMemory: Float64Array;
  readonly #usedDisk: Float64Array;

  constructor({ length, cpu, memory, disk, usedCpu, usedMemory, usedDisk, coreMhz }: NodeColumns, scratch: Scratch) {
    this.#coreMhz = coreMhz;
    this.#cpu = cpu;
    this.#memory = memory;
    this.#disk = disk;
    this.#usedCpu = scratch.floats(length);
    this.#usedMemory = scratch.floats(length);
    this.#usedDisk = scratch.floats(length);
    this.#usedCpu.set(usedCpu.subarray(0, length));
    this.#usedMemory.set(usedMemory.subarray(0, length));
    this.#usedDisk.set(usedDisk.subarray(0, length));
  }

  /** Slot -1 is nowhere. */
  take(slot: number, ask: Ask, times = 1): void {
    this.#add(slot, ask, times);
  }

  free(slot: number, ask: Ask): void {
    this.#add(slot, ask, -1);
  }

  fits(slot: number, ask: Ask): boolean {
    return this.lacking(slot, ask) === -1;
  }

  /** Those of the slots in which an ask fits, from the start of `into`, with what stays free; how many. */
  fitting(slots: Int32Array, ask: Ask, into: Int32Array, free: FreeShares): number {
    const { cpu, memoryMb, diskMb, cores } = ask;
    const { cpu: freeCpu, memory: freeMemory } = free;
    const hasCpu = this.#cpu;
    const hasMemory = this.#memory;
    const hasDisk = this.#disk;
    const usedCpu = this.#usedCpu;
    const usedMemory = this.#usedMemory;
    const usedDisk = this.#usedDisk;
    const coreMhz = this.#coreMhz;
    let count = 0;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as number;
      const ofCores = cores === 0 ? 0 : cores * (coreMhz[slot] as number);
      const wantedCpu = (usedCpu[slot] as number) + cpu + ofCores;
      const wantedMemory = (usedMemory[slot] as number) + memoryMb;
      const allCpu = hasCpu[slot] as number;
      const allMemory = hasMemory[slot] as number;
      if (wantedCpu > allCpu || wantedMemory > allMemory) continue;
      if ((usedDisk[slot] as number) + diskMb > (hasDisk[slot] as number)) continue;
      into[count] = slot;
      freeCpu[count] = freeFraction(wantedCpu, allCpu);
      freeMemory[count] = freeFraction(wantedMemory, allMemory);
      count += 1;
    }
    return count;
  }

  /** The first of `DIMENSIONS` that does not suffice, by its position; -1 when all do. */
  lacking(slot: number, ask: Ask): number {
    if ((this.#usedCpu[slot] as number) + this.#cpuOf(slot, ask) > (this.#cpu[slot] as number)) return 0;
    if ((this.#usedMemory[slot] as number) + ask.memoryMb > (this.#memory[slot] as number)) return 1;
    return (this.#usedDisk[slot] as number) + ask.diskMb > (this.#disk[slot] as number) ? 2 : -1;
  }

  /** How much more than is free there an ask wants, of each; 0 where it suffices. */
  shortage(slot: number, ask: Ask): Omit<Ask, "cores"> {
    const lacks = (used: Float64Array, has: Readonly<Float64Array>, wants: number) =>
      Math.max(0, (used[slot] as number) + wants - (has[slot] as number));
    return {
      cpu: lacks(this.#usedCpu, this.#cpu, this.#cpuOf(slot, ask)),
      memoryMb: lacks(this.#usedMemory, this.#memory, ask.memoryMb),
      diskMb: lacks(this.#usedDisk, this.#disk, ask.diskMb),
    };
  }

  /** The fraction that stays free with one more ask; of a node that has none at all, none. */
  freeCpu(slot: number, ask: Ask): number {
    return freeFraction((this.#usedCpu[slot] as number) + this.#cpuOf(slot, ask), this.#cpu[slot] as number);
  }

  freeMemory(slot: number, { memoryMb }: Ask): number {
    return freeFraction((this.#usedMemory[slot] as number) + memoryMb, this.#memory[slot] as number);
  }

  #add(slot: number, ask: Ask, times: number): void {
    if (slot < 0) return;
    this.#usedCpu[slot] = (this.#usedCpu[slot] as number) + times * this.#cpuOf(slot, ask);
    this.#usedMemory[slot] = (this.#usedMemory[slot] as number) + times * ask.memoryMb;
    this.#usedDisk[slot] = (this.#usedDisk[slot] as number) + times * ask.diskMb;
  }

  #cpuOf(slot: number, { cpu, cores }: Ask): number {
    return cores === 0 ? cpu : cpu + cores * (this.#coreMhz[slot] as number);
  }
}

function freeFraction(used: number, capacity: number): number {
  return capacity > 0 ? 1 - used / capacity : 0;
}
