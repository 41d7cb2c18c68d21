// What one live allocation takes of a replica's heap.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Plan } from "@steppe/proto";
import { createRandom } from "@steppe/runtime";
import { schedule, VerdictCache } from "@steppe/scheduler";
import { median, type Scenario } from "./scenario.ts";
import { commit, jobOf, machine, register, stateWith } from "./world.ts";

const NODES = 5_000;
const ALLOCATIONS = 1_000_000;
/** Jobs a size, by their count. */
const COUNTS = [10, 1_000] as const;

export const memory: Scenario = {
  name: "memory",
  summary: "heap bytes a live allocation, with 1,000,000 of them placed through apply",
  run() {
    const rows = COUNTS.map((count) => [`jobs of ${count}`, median([bytesEach(count)])]);
    return Promise.resolve([{ title: "Memory: bytes a live allocation", columns: ["", "heap bytes"], rows }]);
  },
};

function bytesEach(count: number): number {
  const state = stateWith(Array.from({ length: NODES }, (_, i) => machine(i)));
  const random = createRandom();
  const cache = new VerdictCache();
  const before = heapUsed();
  for (let placed = 0; placed < ALLOCATIONS; placed += count) {
    const id = register(state, jobOf(`job-${placed}`, [[20, 30, count]]));
    const evaluation = state.evaluations.get(id);
    if (evaluation === undefined) throw new Error(`no evaluation ${id}`);
    // Through its bytes, as the log brings it.
    commit(state, Plan.decode(Plan.encode(schedule(state, evaluation, { now: 3e9, random, cache })).finish()));
  }
  if (state.allocations.byId.size !== ALLOCATIONS) throw new Error(`placed ${state.allocations.byId.size}`);
  const each = (heapUsed() - before) / ALLOCATIONS;
  // The state lives until here.
  return state.index > 0 ? each : Number.NaN;
}

function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().heapUsed;
}
