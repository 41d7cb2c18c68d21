// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets of constraints
// A varied life of a region, drawn from a seed: every command there is, taken and refused, with the
// real scheduler in between. What it asks for need not make sense; the state must only answer it alike.
import { MINUTE, SECOND } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import {
  AllocationUpdate,
  ClaimLease,
  type Command,
  type Job,
  NetworkResource,
  type Plan,
  RegisterJob,
  RequestedDevice,
  SchedulerConfiguration,
  TaskState,
} from "@steppe/proto";
import { type AllocationView, defaultSchedulerConfiguration } from "@steppe/state";
import { laterSteps } from "./later-commands.ts";
import { Recorder } from "./recorder.ts";

const NODES = 24;
const JOBS = 14;

/** So many random steps; `snapshotEvery` of them, about, are followed by a snapshot. */
export function history(seed: number, steps: number, snapshotEvery: number): Recorder {
  const it = new Recorder(seed);
  for (let i = 0; i < 6; i++) registerNode(it, i);
  let due = snapshotEvery;
  for (let step = 1; step <= steps; step++) {
    it.now += it.draw(2 * SECOND);
    it.pick(STEPS)?.(it);
    if (it.draw(3) > 0) work(it);
    if (step >= due && it.snapshot()) due = step + snapshotEvery;
  }
  work(it);
  return it;
}

/** What a worker would take now, one after the other. */
function work(it: Recorder): void {
  for (let n = 0; n < 6; n++) {
    const due = [...it.state.evaluations.byId.values()].find((e) => e.Status === "pending" && e.WaitUntil <= it.now);
    if (due === undefined) return;
    if (it.draw(5) > 0) it.commit(it.plan(due));
    else late(it, it.plan(due));
  }
}

/** A plan that others overtook on its way to the log. */
function late(it: Recorder, plan: Plan): void {
  const other = [...it.state.evaluations.byId.values()].find((e) => e.Status === "pending" && e.ID !== plan.EvalID);
  if (other !== undefined) it.commit(it.plan(other));
  it.pick(STEPS)?.(it);
  it.commit(plan);
}

type Act = (it: Recorder) => void;

/** Long enough for requests to be forgotten, leases and disconnected nodes to run out. */
function pass(it: Recorder): void {
  it.now += 6 * MINUTE;
}

/** Repeated ones are likelier. */
const STEPS: readonly Act[] = [
  ...repeat(6, registerJob),
  ...repeat(10, report),
  ...repeat(5, reportHealth),
  ...repeat(3, (it) => registerNode(it, it.draw(NODES))),
  ...repeat(3, nodeStatus),
  ...repeat(3, (it) => void lease(it)),
  ...repeat(2, repeatRequest),
  ...repeat(2, manyAtOnce),
  ...repeat(4, steer),
  ...repeat(2, drain),
  ...repeat(2, migrate),
  ...repeat(2, launch),
  deregisterJob,
  (it) => withJob(it, (job) => evaluate(it, job)),
  eligibility,
  purgeNode,
  completeDrains,
  evaluateNode,
  configureScheduler,
  unblock,
  advance,
  stability,
  revert,
  releaseLease,
  (it) => void it.run({ $case: "Barrier", value: {} }),
  pass,
  ...laterSteps(lease),
];

function repeat(times: number, act: Act): Act[] {
  return Array.from({ length: times }, () => act);
}

const jobs = (it: Recorder): Job[] => [...it.state.jobs.byKey.values()].map(({ job }) => job);
const nodeIds = (it: Recorder): string[] => [...it.state.nodes.slotOf.keys()];
const live = (it: Recorder): AllocationView[] => [...it.state.allocations.byId.values()].filter((a) => !a.terminal);

function withJob(it: Recorder, act: (job: Job) => void): void {
  const job = it.pick(jobs(it));
  if (job !== undefined) act(job);
}

function withNode(it: Recorder, act: (id: string) => void): void {
  const id = it.pick(nodeIds(it));
  if (id !== undefined) act(id);
}

/** Mostly one that is under way, else a job's newest, else one that nobody knows. */
function deploymentId(it: Recorder): string {
  const active = [...it.state.deployments.byId.values()].filter((entry) => entry.active);
  if (active.length > 0 && it.draw(4) > 0) return it.pick(active)?.deployment.ID ?? "";
  const job = it.pick(jobs(it));
  return (job && it.state.deployments.latest(job.Namespace, job.ID)?.deployment.ID) ?? it.random.id();
}

/** The term in force, now and then one that has passed. */
function lease(it: Recorder): number {
  const held = it.state.lease;
  const digest = { DigestIndex: it.state.index, Digest: it.state.digest.value };
  if (held === undefined || held.Expires <= it.now || it.draw(4) === 0) {
    const renew = held !== undefined && it.draw(2) === 0 ? held.Term : 0;
    const claim = { Holder: `server-${it.draw(2)}`, Address: "a:4647", HTTPAddress: "a:4646", TTL: 20 * SECOND };
    it.run({ $case: "ClaimLease", value: { ...ClaimLease.create(), ...claim, Term: renew, ...digest } });
  }
  const term = it.state.lease?.Term ?? 0;
  return it.draw(12) === 0 ? term + 1 : term;
}

function releaseLease(it: Recorder): void {
  it.run({ $case: "ReleaseLease", value: { Term: lease(it), Successor: "" } });
}

function registerNode(it: Recorder, i: number): void {
  const gpus = {
    Type: "gpu",
    Name: "g",
    Instances: [0, 1, 2].map((n) => ({ ID: `g${n}`, Healthy: n < 2 || i % 2 === 0 })),
  };
  const resources = { ...mockNode().NodeResources, MinDynamicPort: 20_000, MaxDynamicPort: 20_009, Devices: [gpus] };
  const node = mockNode(
    {
      Meta: { rack: `r${i % 3}` },
      Datacenter: i % 7 === 6 ? "dc2" : "dc1",
      NodeResources: resources,
      ComputedClass: "",
    },
    i,
  );
  it.run({ $case: "RegisterNode", value: { Node: node } });
}

function command(it: Recorder): Command["Kind"] {
  const job = jobSpec(it);
  const enforced = it.draw(5) === 0;
  const value = {
    ...{ ...RegisterJob.create(), Job: job, EnforceIndex: enforced, JobModifyIndex: it.draw(2) * it.state.index },
    ...{ PreserveCounts: it.draw(4) === 0, PreserveResources: it.draw(4) === 0, EvalPriority: it.draw(2) * 70 },
    Submission: it.draw(3) === 0 ? { Source: "job {}", Format: "hcl2", VariableFlags: {}, Variables: "" } : undefined,
  };
  return { $case: "RegisterJob", value: RegisterJob.create(value) };
}

function registerJob(it: Recorder): void {
  it.run(command(it) as NonNullable<Command["Kind"]>);
}

/** As a retried request comes: the same request, after a while, with other bytes or the same. */
function repeatRequest(it: Recorder): void {
  const id = it.random.id();
  it.run(command(it) as NonNullable<Command["Kind"]>, id);
  report(it);
  it.run(command(it) as NonNullable<Command["Kind"]>, id);
}

/** One entry of several commands, some of which fail. */
function manyAtOnce(it: Recorder): void {
  const kinds = [command(it), { $case: "Barrier", value: {} } as const, command(it)];
  const gone = { Namespace: "default", JobID: "none", ForceReschedule: false };
  const failing = { $case: "EvaluateJob", value: gone } as const;
  it.entry(
    [...kinds, failing].map((Kind) => ({
      RequestID: it.random.id(),
      IDSeed: it.random.bytes(16),
      Kind,
      Fingerprint: "",
    })),
  );
}

const CONSTRAINTS = [
  { LTarget: "${meta.rack}", Operand: "=", RTarget: "r1" },
  { LTarget: "${meta.rack}", Operand: "!=", RTarget: "r0" },
  { LTarget: "", Operand: "distinct_hosts", RTarget: "" },
  { LTarget: "${meta.rack}", Operand: "distinct_property", RTarget: "2" },
];

/** The kind of a job follows from its number, so that a later version of it may be registered. */
function jobSpec(it: Recorder): Job {
  const i = it.draw(JOBS);
  const make = i % 7 === 3 ? mockBatchJob : i % 7 === 5 ? mockSystemJob : mockJob;
  const constraint = it.draw(3) === 0 ? it.pick(CONSTRAINTS) : undefined;
  const job = make({
    ...{ ID: `job-${i}`, Name: `job-${i}`, Namespace: i === 9 ? "other" : "default" },
    ...{ Priority: 20 + 10 * (i % 6), AllAtOnce: it.draw(8) === 0 },
    Constraints: constraint === undefined ? [] : [constraint],
    ...(it.draw(3) === 0 && {
      Affinities: [{ LTarget: "${meta.rack}", Operand: "=", RTarget: "r2", Weight: 50 }],
      Spreads: [{ Attribute: "${meta.rack}", Weight: 50, SpreadTarget: [] }],
    }),
  });
  if (i === 12)
    job.Periodic = {
      Enabled: true,
      Spec: "* * * * *",
      Specs: [],
      SpecType: "cron",
      ProhibitOverlap: it.draw(2) === 0,
      TimeZone: "UTC",
    };
  for (const group of job.TaskGroups) {
    if (job.Type !== "system") group.Count = it.draw(8);
    if (group.Update !== undefined) {
      Object.assign(group.Update, { MaxParallel: it.draw(3), Canary: it.draw(3), AutoRevert: it.draw(2) === 0 });
    }
    if (it.draw(3) === 0) group.MaxClientDisconnect = 10 * MINUTE;
    if (it.draw(3) === 0) group.Networks = [network(it)];
    for (const task of group.Tasks) {
      task.Env = { ENV: String(it.draw(3)) };
      Object.assign(task.Resources ?? {}, { CPU: 100 + 300 * it.draw(4), MemoryMB: 64 + 400 * it.draw(3) });
      if (it.draw(6) === 0)
        task.Resources?.Devices.push(RequestedDevice.create({ Name: "gpu", Count: 1 + it.draw(2) }));
    }
  }
  return job;
}

function network(it: Recorder): NetworkResource {
  const ReservedPorts = it.draw(2) === 0 ? [{ Label: "fixed", Value: 8080 }] : [];
  return NetworkResource.create({ ReservedPorts, DynamicPorts: [{ Label: "a" }, { Label: "b" }] });
}

function deregisterJob(it: Recorder): void {
  withJob(it, ({ Namespace, ID }) => {
    const value = { Namespace, JobID: ID, Purge: it.draw(2) === 0, EvalPriority: 0, NoShutdownDelay: it.draw(2) === 0 };
    it.run({ $case: "DeregisterJob", value });
  });
}

function evaluate(it: Recorder, { Namespace, ID }: Job): void {
  it.run({ $case: "EvaluateJob", value: { Namespace, JobID: ID, ForceReschedule: it.draw(2) === 0 } });
}

function launch(it: Recorder): void {
  const Term = lease(it);
  const tick = Math.floor(it.now / MINUTE) * MINUTE;
  const value = {
    Namespace: "default",
    JobID: it.draw(5) === 0 ? "job-0" : "job-12",
    LaunchTime: tick,
    Forced: it.draw(3) === 0,
    Term,
  };
  it.run({ $case: "LaunchPeriodic", value });
}

function nodeStatus(it: Recorder): void {
  withNode(it, (id) => {
    const status = it.pick(["ready", "ready", "down", "disconnected", "initializing"]) ?? "ready";
    const Term = status === "ready" ? 0 : lease(it);
    const ids = it.draw(4) === 0 ? [id, ...nodeIds(it).slice(0, 2)] : [id];
    it.run({ $case: "UpdateNodeStatus", value: { NodeIDs: ids, Status: status, Message: "told so", Term } });
  });
}

function eligibility(it: Recorder): void {
  withNode(it, (NodeID) => {
    const Eligibility = it.draw(3) === 0 ? "ineligible" : "eligible";
    it.run({
      $case: "UpdateNodeEligibility",
      value: { NodeID: it.draw(6) === 0 ? it.random.id() : NodeID, Eligibility },
    });
  });
}

function purgeNode(it: Recorder): void {
  const ids = nodeIds(it);
  if (ids.length > 6) it.run({ $case: "DeregisterNodes", value: { NodeIDs: [it.pick(ids) ?? ""] } });
}

function drain(it: Recorder): void {
  withNode(it, (NodeID) => {
    const spec = { Deadline: it.draw(3) * MINUTE, IgnoreSystemJobs: it.draw(2) === 0 };
    const DrainSpec = it.draw(3) === 0 ? undefined : spec;
    const value = { NodeID, DrainSpec, MarkEligible: it.draw(2) === 0, Meta: { why: "history" } };
    it.run({ $case: "UpdateNodeDrain", value });
  });
}

function migrate(it: Recorder): void {
  const Term = lease(it);
  const AllocIDs = live(it)
    .filter(({ NodeID }) => it.state.nodes.get(NodeID)?.Drain === true)
    .slice(0, 4)
    .map(({ ID }) => ID);
  it.run({ $case: "MigrateAllocations", value: { Term, AllocIDs } });
}

function completeDrains(it: Recorder): void {
  const NodeIDs = nodeIds(it).filter((id) => it.state.nodes.get(id)?.Drain === true);
  it.run({ $case: "CompleteDrains", value: { Term: lease(it), NodeIDs } });
}

function evaluateNode(it: Recorder): void {
  withNode(
    it,
    (NodeID) => void it.run({ $case: "EvaluateNode", value: { NodeID: it.draw(4) === 0 ? "none" : NodeID } }),
  );
}

function updateOf(it: Recorder, { ID, DeploymentID }: AllocationView): AllocationUpdate {
  const ClientStatus = it.pick(["running", "running", "failed", "complete"]) ?? "running";
  const failed = ClientStatus === "failed";
  const task = {
    ...TaskState.create(),
    State: ClientStatus === "running" ? "running" : "dead",
    Failed: failed,
    FinishedAt: it.now,
  };
  return {
    ...AllocationUpdate.create(),
    ID,
    ClientStatus,
    ClientDescription: "as drawn",
    TaskStates: { web: task },
    DeploymentID,
  };
}

function report(it: Recorder): void {
  const reported = live(it).filter(() => it.draw(6) === 0);
  const Updates = reported.slice(0, 5).map((allocation) => updateOf(it, allocation));
  if (it.draw(9) === 0) Updates.push({ ...AllocationUpdate.create(), ID: it.random.id(), ClientStatus: "running" });
  it.run({ $case: "UpdateAllocations", value: { Updates } });
}

function reportHealth(it: Recorder): void {
  const rolling = live(it).filter(({ DeploymentID }) => DeploymentID !== "");
  const Healthy = it.draw(4) > 0;
  const DeploymentStatus = { Healthy, Timestamp: it.now, Canary: false, ModifyIndex: 0 };
  const ClientStatus = Healthy ? "running" : "failed";
  const Updates = rolling.map((one) => ({ ...updateOf(it, one), ClientStatus, DeploymentStatus }));
  it.run({ $case: "UpdateAllocations", value: { Updates: Healthy ? Updates : Updates.slice(0, 1) } });
  withJob(it, (job) => evaluate(it, job));
}

/** What a user and the watcher do to deployments. */
function steer(it: Recorder): void {
  const DeploymentID = deploymentId(it);
  const Term = it.draw(2) === 0 ? 0 : lease(it);
  const ids = live(it)
    .filter((one) => one.DeploymentID === DeploymentID)
    .map(({ ID }) => ID);
  const choices: readonly NonNullable<Command["Kind"]>[] = [
    { $case: "PromoteDeployment", value: { Term, DeploymentID, All: true, Groups: [] } },
    { $case: "PromoteDeployment", value: { Term, DeploymentID, All: false, Groups: ["web"] } },
    { $case: "PauseDeployment", value: { DeploymentID, Pause: it.draw(3) === 0 } },
    {
      $case: "FailDeployment",
      value: { Term, DeploymentID, StatusDescription: "told so", Rollback: it.draw(2) === 0 },
    },
    { $case: "UnblockDeployment", value: { DeploymentID } },
    {
      $case: "SetAllocationHealth",
      value: {
        DeploymentID,
        HealthyAllocationIDs: ids.slice(1),
        UnhealthyAllocationIDs: it.draw(2) === 0 ? [] : ids.slice(0, 1),
      },
    },
  ];
  it.run(it.pick(choices) as NonNullable<Command["Kind"]>);
}

function advance(it: Recorder): void {
  const Term = lease(it);
  const unhealthy = live(it).filter(({ DeploymentStatus }) => DeploymentStatus?.Healthy === false);
  const Advances = unhealthy.map(({ ID, DeploymentID }) => ({ DeploymentID, ReplaceAllocIDs: [ID] }));
  it.run({
    $case: "AdvanceDeployments",
    value: { Term, Advances: [...Advances, { DeploymentID: deploymentId(it), ReplaceAllocIDs: [] }] },
  });
}

function stability(it: Recorder): void {
  withJob(it, ({ Namespace, ID, Version }) => {
    const value = { Namespace, JobID: ID, JobVersion: Math.max(0, Version - it.draw(3)), Stable: it.draw(3) > 0 };
    it.run({ $case: "SetJobStability", value });
  });
}

function revert(it: Recorder): void {
  withJob(it, ({ Namespace, ID, Version }) => {
    const EnforcePriorVersion = it.draw(2) === 0 ? undefined : Version;
    const value = { Namespace, JobID: ID, JobVersion: Math.max(0, Version - 1 - it.draw(3)), EnforcePriorVersion };
    it.run({ $case: "RevertJob", value });
  });
}

function configureScheduler(it: Recorder): void {
  const base = defaultSchedulerConfiguration();
  const preemption = {
    ...base.PreemptionConfig,
    ServiceSchedulerEnabled: it.draw(2) === 0,
    BatchSchedulerEnabled: it.draw(2) === 0,
    SystemSchedulerEnabled: true,
    SysBatchSchedulerEnabled: false,
  };
  const Config = SchedulerConfiguration.create({
    ...base,
    SchedulerAlgorithm: it.draw(2) === 0 ? "spread" : "binpack",
    PreemptionConfig: preemption,
  });
  const ModifyIndex = it.draw(2) === 0 ? it.state.schedulerConfiguration.ModifyIndex : 0;
  it.run({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: it.draw(2) === 0, ModifyIndex } });
}

/** As the broker does: blocked evaluations are tried again, one that was delivered too often fails. */
function unblock(it: Recorder): void {
  const Term = lease(it);
  const open = [...it.state.evaluations.byId.values()].filter(
    ({ Status }) => Status === "blocked" || Status === "pending",
  );
  const Evaluations = open.slice(0, 4).map((evaluation, n) => {
    const failed = n === 3 && it.draw(3) === 0;
    return {
      ...evaluation,
      Status: failed ? "failed" : "pending",
      TriggeredBy: "max-plan-attempts",
      ModifyTime: it.now,
    };
  });
  it.run({ $case: "UpsertEvaluations", value: { Term, Evaluations } });
}
