import { mockBatchJob, mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate, type Job, RegisterJob } from "@steppe/proto";
import { decodeSnapshot, encodeSnapshot } from "@steppe/state";
import { Ledger, planFor } from "@steppe/state/internal";
import { describe, expect, test } from "vitest";
import { TestRegion } from "../testing/region.ts";
import { type Cutoffs, findGarbage, type Garbage, noGarbage } from "./decide.ts";
import { collectEverything, runGarbageCollection } from "./loop.ts";
import { GC_SETTINGS } from "./needs.ts";

const HOUR = 3600e9;

/** A region with a node and helpers that bring jobs to where they end. */
function world() {
  const ledger = new Ledger();
  const node = mockNode({ ID: ledger.id() });
  ledger.run({ $case: "RegisterNode", value: { Node: node } });
  const register = (job: Job) =>
    ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } }).EvalID;
  const run = (job: Job, names: readonly number[] = [0]) => {
    const evalId = register(job);
    const group = job.TaskGroups[0]?.Name ?? "";
    const rows = names.map((name) => [name, node.ID] as [number, string]);
    ledger.run({ $case: "ApplyPlan", value: planFor(ledger, evalId, job.ID, group, rows) });
    const ids = [...(ledger.state.jobs.get("default", job.ID)?.allocations ?? [])].map(({ ID }) => ID);
    return { evalId, ids };
  };
  const report = (ids: readonly string[], ClientStatus: string) => {
    const Updates = ids.map((ID) => AllocationUpdate.create({ ID, ClientStatus }));
    ledger.run({ $case: "UpdateAllocations", value: { Updates } });
  };
  const closeEvaluations = () => {
    for (const evaluation of [...ledger.state.evaluations.byId.values()]) {
      if (evaluation.Status !== "pending") continue;
      ledger.run({ $case: "ApplyPlan", value: planFor(ledger, evaluation.ID, evaluation.JobID, "", []) });
    }
  };
  const stop = (JobID: string) => {
    const value = { Namespace: "default", JobID, Purge: false, EvalPriority: 0, NoShutdownDelay: false };
    ledger.run({ $case: "DeregisterJob", value });
  };
  const garbage = (ages: Partial<Cutoffs> = {}): Garbage => {
    const all = noGarbage();
    const { now } = ledger;
    const cutoffs = { jobs: now, evaluations: now, batchEvaluations: now, deployments: now, nodes: now, ...ages };
    for (const found of findGarbage(ledger.state, cutoffs)) {
      for (const list of ["Jobs", "EvalIDs", "AllocIDs", "DeploymentIDs", "NodeIDs"] as const) {
        (all[list] as unknown[]).push(...found[list]);
      }
    }
    return all;
  };
  const collect = (found: Garbage) => ledger.run({ $case: "CollectGarbage", value: { ...found, Term: 0 } });
  return { ledger, node, register, run, report, closeEvaluations, stop, garbage, collect };
}

describe("find garbage", () => {
  test("a running service job, has none", () => {
    const { run, report, garbage } = world();
    report(run(mockJob({ ID: "web" })).ids, "running");
    expect(garbage()).toEqual(noGarbage());
  });

  test("a stopped job whose allocations have ended, is garbage once old enough, with all it has", () => {
    const { ledger, run, report, closeEvaluations, stop, garbage, collect } = world();
    const { ids } = run(mockJob({ ID: "web" }));
    report(ids, "running");
    stop("web");
    closeEvaluations();
    expect(garbage().Jobs).toEqual([]);
    report(ids, "complete");
    closeEvaluations();
    expect(garbage({ jobs: ledger.now - HOUR }).Jobs).toEqual([]);
    const found = garbage();
    expect(found.Jobs).toEqual([{ Namespace: "default", JobID: "web" }]);
    expect(collect(found).Removed).toBe(1);
    const { state } = ledger;
    expect([state.jobs.byKey.size, state.allocations.byId.size, state.evaluations.byId.size]).toEqual([0, 0, 0]);
  });

  test("a batch job that is done, keeps what says so until the job goes", () => {
    const { ledger, run, report, closeEvaluations, garbage } = world();
    const { ids, evalId } = run(mockBatchJob({ ID: "work" }));
    report(ids, "complete");
    closeEvaluations();
    expect(ledger.state.jobs.get("default", "work")?.job.Status).toBe("dead");
    const early = garbage({ jobs: ledger.now - HOUR, batchEvaluations: ledger.now - HOUR });
    expect(early).toEqual(noGarbage());
    expect(garbage({ jobs: ledger.now - HOUR })).toMatchObject({ AllocIDs: ids, EvalIDs: [evalId] });
    expect(garbage().Jobs).toHaveLength(1);
  });

  test("a batch job that still runs, keeps the allocations that are done: they must not run again", () => {
    const { run, report, closeEvaluations, garbage } = world();
    const { ids } = run(mockBatchJob({ ID: "work" }), [0, 1]);
    report(ids.slice(0, 1), "complete");
    report(ids.slice(1), "running");
    closeEvaluations();
    expect(garbage().AllocIDs).toEqual([]);
  });

  test("a failed allocation of a running job, stays while it may be followed by another", () => {
    const { run, report, closeEvaluations, garbage } = world();
    const { ids } = run(mockJob({ ID: "web" }), [0, 1]);
    report(ids.slice(0, 1), "failed");
    report(ids.slice(1), "running");
    closeEvaluations();
    expect(garbage().AllocIDs).toEqual([]);
  });

  test("a node that is down for long and runs nothing, is garbage; a ready one is not", () => {
    const { ledger, node, garbage } = world();
    expect(garbage().NodeIDs).toEqual([]);
    const value = { NodeIDs: [node.ID], Status: "down", Message: "", Term: 0 };
    ledger.run({ $case: "UpdateNodeStatus", value });
    expect(garbage({ nodes: ledger.now - HOUR }).NodeIDs).toEqual([]);
    expect(garbage().NodeIDs).toEqual([node.ID]);
  });
});

describe("collect garbage", () => {
  test("found before a job lived again, leaves the job", () => {
    const { ledger, register, closeEvaluations, stop, garbage, collect } = world();
    const job = mockJob({ ID: "web" });
    register(structuredClone(job));
    stop("web");
    closeEvaluations();
    const found = garbage();
    expect(found.Jobs).toHaveLength(1);
    register(structuredClone(job));
    expect(collect(found).Removed).toBe(0);
    expect(ledger.state.jobs.get("default", "web")?.job.Stop).toBe(false);
  });

  test("allocations that are gone, are still counted by their job; a recount forgets them", () => {
    const { ledger, run, report, closeEvaluations, garbage, collect } = world();
    const { ids } = run(mockBatchJob({ ID: "work" }));
    report(ids, "complete");
    closeEvaluations();
    collect(garbage({ jobs: 0 }));
    const summary = () => ledger.state.jobs.get("default", "work")?.summary.Summary.work?.Complete;
    expect(ledger.state.allocations.byId.size).toBe(0);
    expect(summary()).toBe(1);
    expect(ledger.state.jobs.get("default", "work")?.job.Status).toBe("dead");
    ledger.run({ $case: "ReconcileSummaries", value: {} });
    expect(summary()).toBe(0);
  });

  test("a replica from a snapshot taken afterwards, holds the same", () => {
    const { ledger, run, report, closeEvaluations, garbage, collect } = world();
    report(run(mockBatchJob({ ID: "work" })).ids, "complete");
    closeEvaluations();
    collect(garbage());
    const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    expect(restored.digest.value).toBe(ledger.state.digest.value);
    expect(ledger.replay().digest.value).toBe(ledger.state.digest.value);
  });
});

describe("as a duty", () => {
  test("jobs come and go for days, state stays flat, and commands stay small", async () => {
    const region = new TestRegion();
    const member = region.member("a");
    await lead(member);
    const stopping = new AbortController();
    const duty = runGarbageCollection(1, member, GC_SETTINGS, stopping.signal);
    const sizes: number[] = [];
    for (let hour = 0; hour < 48; hour++) {
      for (let n = 0; n < 20; n++) await comeAndGo(member, `job-${hour}-${n}`);
      await region.clock.advance(3_600_000);
      await lead(member);
      sizes.push(member.state.jobs.byKey.size + member.state.evaluations.byId.size);
    }
    stopping.abort();
    await duty;
    expect(Math.max(...sizes.slice(-8))).toBeLessThanOrEqual(Math.max(...sizes.slice(8, 16)));
    expect(Math.max(...region.log.map((bytes) => bytes.length))).toBeLessThan(500_000);
  });

  test("a user asks for it, everything that has ended is gone, however much it is", async () => {
    const region = new TestRegion();
    const member = region.member("a");
    for (let n = 0; n < 30; n++) await comeAndGo(member, `job-${n}`);
    await collectEverything(member, new AbortController().signal);
    expect([member.state.jobs.byKey.size, member.state.evaluations.byId.size]).toEqual([0, 0]);
  });
});

type Member = ReturnType<TestRegion["member"]>;

async function lead(member: Member): Promise<void> {
  const value = {
    ...{ Holder: "a", Address: "", HTTPAddress: "", TTL: 2 * HOUR, Term: member.state.lease === undefined ? 0 : 1 },
    ...{ DigestIndex: 0, Digest: 0 },
  };
  await member.propose({ $case: "ClaimLease", value });
}

async function comeAndGo(member: Member, ID: string): Promise<void> {
  await member.propose({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: mockJob({ ID }) } });
  const value = { Namespace: "default", JobID: ID, Purge: false, EvalPriority: 0, NoShutdownDelay: false };
  await member.propose({ $case: "DeregisterJob", value });
  const open = [...member.state.evaluations.byId.values()].filter((it) => it.JobID === ID && it.Status === "pending");
  const Evaluations = open.map((it) => ({ ...it, Status: "complete" }));
  const Term = member.state.lease?.Term ?? 0;
  if (Term === 0) await lead(member);
  await member.propose({ $case: "UpsertEvaluations", value: { Term: Term || 1, Evaluations } });
}
