// The duties on the real log, applier, proposer, bus and scheduler, in real time: what fits only
// their doubles would show here.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApplier, createLocalBus, createProposer, openEmbeddedLog } from "@steppe/log";
import { silentLogger } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import type { Job } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { schedule, splitPlan, Underway } from "@steppe/scheduler";
import { apply, type Changes, State } from "@steppe/state";
import { expect, onTestFinished, test } from "vitest";
import { LeaderDuties } from "./leader.ts";
import { Leadership } from "./lease.ts";
import type { AppliedEntry, Propose } from "./region-log.ts";
import { Worker } from "./worker/worker.ts";

const logger = silentLogger;

/** A server and a worker in one process, as `agent -dev` is. */
async function startRegion(payloadMax = 1024 * 1024) {
  const folder = await mkdtemp(join(tmpdir(), "steppe-control-"));
  const clock = createClock();
  const random = createRandom();
  const state = new State();
  const log = await openEmbeddedLog({ path: join(folder, "log.db"), logger, payloadMax });
  const machine = {
    get index() {
      return state.index;
    },
    apply: (index: number, entry: AppliedEntry["entry"]) => apply(state, index, entry),
  };
  const applier = createApplier<Changes>({ log, machine, clock, logger });
  const proposer = createProposer({ log, applier, clock, random, logger });
  const bus = createLocalBus(clock, logger);
  const propose: Propose = (kind, options) => proposer.propose(kind, options);
  const onApplied = (listener: (applied: AppliedEntry) => void) => applier.onApplied(listener);
  const waitFor = (index: number, signal: AbortSignal) => applier.waitFor(index, signal);
  const needs = { clock, random, logger, bus, view: state, propose, onApplied, waitFor };
  const duties = new LeaderDuties(needs);
  const lease = { holder: "a", address: "127.0.0.1:4647", httpAddress: "127.0.0.1:4646" };
  const leadership = new Leadership(lease, { ...needs, digest: () => state.digest.value }, duties.run);
  const underway = new Underway(state);
  const worker = new Worker(
    { name: "a" },
    {
      ...needs,
      underway,
      schedule: (evaluation) => schedule(state, evaluation, { now: clock.wallNs(), random, underway }),
      splitPlan: (plan) => splitPlan(plan, log.payloadMax / 2),
    },
  );
  applier.start();
  leadership.start();
  worker.start();
  onTestFinished(async () => {
    await worker.stop();
    await leadership.stop();
    await proposer.close();
    await applier.close();
    await log.close();
    await bus.close();
    await rm(folder, { recursive: true, force: true });
  });
  const until = (reached: () => boolean) =>
    new Promise<void>((resolve) => {
      const stop = onApplied(() => {
        if (!reached()) return;
        stop();
        resolve();
      });
    });
  return { state, propose, onApplied, leadership, until };
}

test("control: a job is registered, is placed by the real parts and stopped again (1 process)", async () => {
  const { state, propose, leadership, until } = await startRegion();
  const job: Job = mockJob({ ID: "web" });
  for (let n = 0; n < 3; n++) await propose({ $case: "RegisterNode", value: { Node: mockNode({}, n) } });

  const placed = until(() => state.jobs.get("default", "web")?.liveAllocations === 10);
  const command = { Job: job, EnforceIndex: false, JobModifyIndex: 0, EvalPriority: 0 };
  const kept = { PreserveCounts: false, PreserveResources: false, Submission: undefined, CheckPlace: false };
  await propose({ $case: "RegisterJob", value: { ...command, ...kept } });
  await placed;
  expect(leadership.term).toBe(1);

  const stopped = until(() => state.jobs.get("default", "web")?.liveAllocations === 0);
  const target = { Namespace: "default", JobID: "web" };
  await propose({
    $case: "DeregisterJob",
    value: { ...target, Purge: false, EvalPriority: 0, NoShutdownDelay: false },
  });
  await stopped;
  expect(state.jobs.get("default", "web")?.job.Status).toBe("dead");
});

test("control: many small jobs at once fill the nodes, none of their plans is refused and only what has no room waits (1 process)", async () => {
  const { state, propose, onApplied, until } = await startRegion();
  const refused: string[] = [];
  onApplied(({ outcomes }) => {
    for (const { RejectedNodes } of outcomes) refused.push(...RejectedNodes);
  });
  // Each has room for seven.
  for (let n = 0; n < 6; n++) await propose({ $case: "RegisterNode", value: { Node: mockNode({}, n) } });
  const statuses = () => [...state.evaluations.byId.values()].map(({ Status }) => Status);
  const settled = until(() => statuses().filter((it) => it === "complete").length === 45);
  const kept = { PreserveCounts: false, PreserveResources: false, Submission: undefined, CheckPlace: false };
  const command = { EnforceIndex: false, JobModifyIndex: 0, EvalPriority: 0, ...kept };
  await Promise.all(
    Array.from({ length: 45 }, (_, n) => {
      const job: Job = mockJob({ ID: `job-${n}` });
      // Ports are not counted on the way.
      const TaskGroups = job.TaskGroups.map((it) => ({ ...it, Count: 1, Networks: [], Services: [] }));
      return propose({ $case: "RegisterJob", value: { ...command, Job: { ...job, TaskGroups } } });
    }),
  );
  await settled;
  expect(refused).toEqual([]);
  expect([...state.jobs.byKey.values()].filter(({ liveAllocations }) => liveAllocations === 1)).toHaveLength(42);
  expect(statuses().filter((it) => it === "blocked")).toHaveLength(3);
});

test("control: a plan is larger than a log entry may be, takes effect in parts (1 process)", async () => {
  const { state, propose, onApplied, until } = await startRegion(8 * 1024);
  const plans: number[] = [];
  onApplied(({ entry, outcomes }) => {
    for (const [i, { Kind }] of entry.Commands.entries()) {
      if (Kind?.$case === "ApplyPlan") plans.push(outcomes[i]?.Placed ?? 0);
    }
  });
  for (let n = 0; n < 60; n++) await propose({ $case: "RegisterNode", value: { Node: mockNode({}, n) } });
  const job: Job = mockJob({ ID: "wide" });
  for (const group of job.TaskGroups) group.Count = 400;
  const settled = until(() => [...state.evaluations.byId.values()].some(({ Status }) => Status === "complete"));
  const command = { Job: job, EnforceIndex: false, JobModifyIndex: 0, EvalPriority: 0 };
  const kept = { PreserveCounts: false, PreserveResources: false, Submission: undefined, CheckPlace: false };
  await propose({ $case: "RegisterJob", value: { ...command, ...kept } });
  await settled;
  expect(state.jobs.get("default", "wide")?.liveAllocations).toBe(400);
  expect(plans.length).toBeGreaterThan(1);
});
