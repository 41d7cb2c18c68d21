// What one live allocation takes of a replica's memory: heap and typed arrays.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AllocationUpdate, type Entry, Plan, TaskEvent, TaskState } from "@steppe/proto";
import { createRandom } from "@steppe/runtime";
import { schedule, VerdictCache } from "@steppe/scheduler";
import type { AllocationView, State } from "@steppe/state";
import { median, type Scenario } from "./scenario.ts";
import { commit, dynamicPorts, jobOf, machine, register, run, stateWith } from "./world.ts";

const NODES = 5_000;
const ALLOCATIONS = 1_000_000;
/** Reports a command, as nodes' reports are gathered. */
const REPORTS = 500;
const NOW = 1.8e18;

interface Case {
  readonly name: string;
  readonly count: number;
  readonly type: "service" | "batch";
  /** Task events that the nodes' reports have; undefined: nothing is reported. */
  readonly events?: number;
  readonly port?: true;
}

const CASES: readonly Case[] = [
  { name: "jobs of 1,000, placed", count: 1_000, type: "batch" },
  { name: "jobs of 1,000, running, as simulated nodes report", count: 1_000, type: "batch", events: 0 },
  { name: "jobs of 1,000, running, with 3 task events", count: 1_000, type: "batch", events: 3 },
  { name: "service jobs of 1,000, running and healthy, with 3 task events", count: 1_000, type: "service", events: 3 },
  {
    name: "service jobs of 1,000 with a dynamic port, running and healthy, with 3 task events",
    ...{ count: 1_000, type: "service", events: 3, port: true },
  },
  { name: "jobs of 10, placed (their job, evaluation and metrics included)", count: 10, type: "batch" },
];

export const memory: Scenario = {
  name: "memory",
  summary: "bytes a live allocation, with 1,000,000 of them placed and reported through apply",
  run() {
    const wanted = process.env.BENCH_CASE ?? "";
    const rows = CASES.filter(({ name }) => name.includes(wanted)).map((it) => [it.name, median([bytesEach(it)])]);
    return Promise.resolve([{ title: "Memory: bytes a live allocation", columns: ["", "bytes"], rows }]);
  },
};

function bytesEach({ count, type, events, port }: Case): number {
  const state = stateWith(Array.from({ length: NODES }, (_, i) => machine(i)));
  const random = createRandom();
  const cache = new VerdictCache();
  const before = used();
  for (let placed = 0; placed < ALLOCATIONS; placed += count) {
    const job = jobOf(`job-${placed}`, [[20, 30, count]], { Type: type });
    for (const group of job.TaskGroups) if (port) group.Networks = [dynamicPorts(1)];
    const id = register(state, job);
    const evaluation = state.evaluations.get(id);
    if (evaluation === undefined) throw new Error(`no evaluation ${id}`);
    // Through its bytes, as the log brings it.
    commit(state, Plan.decode(Plan.encode(schedule(state, evaluation, { now: 3e9, random, cache })).finish()));
  }
  if (state.allocations.byId.size !== ALLOCATIONS) throw new Error(`placed ${state.allocations.byId.size}`);
  if (events !== undefined) report(state, events);
  const each = (used() - before) / ALLOCATIONS;
  // The state lives until here.
  return state.index > 0 ? each : Number.NaN;
}

/** Every allocation runs, and is healthy where a deployment waits for that. */
function report(state: State, events: number): void {
  let updates: AllocationUpdate[] = [];
  for (const allocation of state.allocations.byId.values()) {
    const update = runningUpdate(allocation, events, NOW + state.index * 1e6 + updates.length);
    updates.push(AllocationUpdate.decode(AllocationUpdate.encode(update).finish()));
    if (updates.length < REPORTS) continue;
    run(state, [{ Kind: { $case: "UpdateAllocations", value: { Updates: updates } } }] as Entry["Commands"]);
    updates = [];
  }
}

const EVENTS = [
  { Type: "Received", Message: "Task received by client" },
  { Type: "Task Setup", Message: "Building Task Directory" },
  { Type: "Started", Message: "Task started by client" },
];

function runningUpdate({ ID, DeploymentID, Job }: AllocationView, events: number, now: number): AllocationUpdate {
  const fields = { ID, DeploymentID, ClientStatus: "running", ClientDescription: "Tasks are running" };
  const update = AllocationUpdate.create(fields);
  const Events = EVENTS.slice(0, events).map((it, i) =>
    TaskEvent.create({ ...it, DisplayMessage: it.Message, Time: now + i }),
  );
  for (const { Name } of Job.TaskGroups[0]?.Tasks ?? []) {
    update.TaskStates[Name] = TaskState.create({ State: "running", StartedAt: now, Events });
  }
  if (DeploymentID !== "") {
    update.DeploymentStatus = { Healthy: true, Timestamp: now, Canary: false, ModifyIndex: 0 };
  }
  return update;
}

function used(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
