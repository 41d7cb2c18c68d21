// What many nodes say at one moment, made once for all that say the same.
import type { AllocationUpdate } from "@steppe/proto";
import { endedUpdate, type GroupBehaviour, runningUpdate } from "./behaviour.ts";

/** How coarse the moments are: what is told within one is told as of its beginning. */
const MOMENT_NS = 10e6;

export class Sayings {
  #momentNs = 0;
  readonly #made: Map<string, AllocationUpdate> = new Map();

  running(behaviour: GroupBehaviour, nowNs: number): AllocationUpdate {
    return this.#of(`${behaviour.healthy}\0${behaviour.tasks.join("\0")}`, nowNs, (atNs) =>
      runningUpdate(behaviour, atNs),
    );
  }

  ended(tasks: readonly string[], failed: boolean, startedNs: number, nowNs: number): AllocationUpdate {
    const key = `ended\0${failed}\0${startedNs}\0${tasks.join("\0")}`;
    return this.#of(key, nowNs, (atNs) => endedUpdate(tasks, failed, startedNs, atNs));
  }

  #of(key: string, nowNs: number, make: (atNs: number) => AllocationUpdate): AllocationUpdate {
    if (nowNs - this.#momentNs >= MOMENT_NS || nowNs < this.#momentNs) {
      this.#momentNs = nowNs;
      this.#made.clear();
    }
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make(this.#momentNs);
    this.#made.set(key, made);
    return made;
  }
}
