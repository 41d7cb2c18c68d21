// How few nodes a known workload takes, and how much of one that is too large finds no place.
import { createRandom } from "@steppe/runtime";
import { schedule, VerdictCache } from "@steppe/scheduler";
import type { State } from "@steppe/state";
import { median, type Scenario, type Table } from "./scenario.ts";
import { commit, jobOf, machine, register, stateWith } from "./world.ts";

const NODES = 500;
const RUNS = 5;
const SEED = 42;
const CPU = [100, 250, 500, 1_000, 2_000] as const;
const MEMORY = [128, 256, 512, 1_024, 2_048] as const;

export interface Task {
  readonly cpu: number;
  readonly mem: number;
}

/** So many tasks drawn by a linear congruential generator of 32 bits: its top 16 choose the CPU, then the memory. */
export function workload(count: number): Task[] {
  let x = SEED;
  const draw = (): number => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    return (x >>> 16) % 5;
  };
  return Array.from({ length: count }, () => ({ cpu: CPU[draw()] as number, mem: MEMORY[draw()] as number }));
}

export const packing: Scenario = {
  name: "packing",
  summary: "nodes used by 5,000 tasks (lower bound 246), and how many of 11,000 fail on 500 nodes (first fit: 781)",
  run() {
    const rows: Table["rows"] = [];
    for (const [what, count] of [
      ["nodes used", 5_000],
      ["tasks failed", 11_000],
    ] as const) {
      for (const type of ["service", "batch"]) {
        for (const [form, place] of [
          ["one job a task", taskByTask],
          ["one job of 25 groups", byGroups],
        ] as const) {
          const results = Array.from({ length: RUNS }, () => place(workload(count), type));
          const values = results.map(({ used, placed }) => (what === "nodes used" ? used : count - placed));
          rows.push([`${count} tasks`, what, type, form, median(values)]);
        }
      }
    }
    return Promise.resolve([{ title: "Packing", columns: ["workload", "what", "type", "form", "result"], rows }]);
  },
};

function taskByTask(tasks: readonly Task[], Type: string) {
  const state = empty();
  const place = placer(state);
  for (const [i, { cpu, mem }] of tasks.entries())
    place(register(state, jobOf(`task-${i}`, [[cpu, mem, 1]], { Type })));
  return outcome(state);
}

function byGroups(tasks: readonly Task[], Type: string) {
  const state = empty();
  const counts = Map.groupBy(tasks, ({ cpu, mem }) => `${cpu}/${mem}`);
  const asks = [...counts.values()].map((alike): [number, number, number] => {
    const [{ cpu, mem }] = alike as [Task];
    return [cpu, mem, alike.length];
  });
  placer(state)(register(state, jobOf("groups", asks, { Type })));
  return outcome(state);
}

const empty = (): State => stateWith(Array.from({ length: NODES }, (_, i) => machine(i)));

function placer(state: State): (evaluation: string) => void {
  const random = createRandom();
  const cache = new VerdictCache();
  return (id) => {
    const evaluation = state.evaluations.get(id);
    if (evaluation === undefined) throw new Error(`no evaluation ${id}`);
    commit(state, schedule(state, evaluation, { now: 3e9, random, cache }));
  };
}

function outcome({ nodes, allocations }: State) {
  return { used: nodes.allocations.filter((it) => it.size > 0).length, placed: allocations.byId.size };
}
