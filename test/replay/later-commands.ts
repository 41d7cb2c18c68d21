// Steps of a history with the commands that came after commit c6656a3.
import { MINUTE, SECOND } from "@steppe/model";
import { mockBatchJob, mockJob } from "@steppe/model/internal";
import {
  AutopilotConfiguration,
  DeregisterJob,
  type Job,
  Namespace,
  NodePool,
  OwedCopies,
  RegisterJob,
  Variable,
  VariableLock,
} from "@steppe/proto";
import type { Recorder } from "./recorder.ts";

/** `lease`: a term to act under, mostly the one in force. */
export function laterSteps(lease: (it: Recorder) => number): readonly ((it: Recorder) => void)[] {
  return [namespaces, nodePools, dispatch, scale, tag, services, evaluations, variable, variable]
    .concat([lockVariable, lockVariable, autopilot, (it) => void it.run({ $case: "ReconcileSummaries", value: {} })])
    .concat([(it) => expireLocks(it, lease), (it) => collect(it, lease(it)), (it) => copies(it, lease(it))]);
}

function jobOf(it: Recorder): Pick<Job, "Namespace" | "ID" | "Version" | "TaskGroups"> {
  const job = it.pick([...it.state.jobs.byKey.values()])?.job;
  return it.draw(8) === 0 || job === undefined ? { Namespace: "default", ID: "none", Version: 0, TaskGroups: [] } : job;
}

function namespaces(it: Recorder): void {
  const Names = [it.pick(["team-a", "team-b", "other", "default"]) ?? ""];
  if (it.draw(3) === 0) return void it.run({ $case: "DeleteNamespaces", value: { Names, Region: "us" } });
  const Namespaces = Names.map((Name) =>
    Namespace.create({ Name, Description: `drawn ${it.draw(9)}`, Meta: { a: "b" } }),
  );
  it.run({ $case: "UpsertNamespaces", value: { Namespaces } });
}

function nodePools(it: Recorder): void {
  const Names = [it.pick(["gpu", "arm", "default"]) ?? ""];
  if (it.draw(3) === 0) return void it.run({ $case: "DeleteNodePools", value: { Names, Region: "us" } });
  const NodePools = Names.map((Name) => NodePool.create({ Name, Description: `drawn ${it.draw(9)}` }));
  it.run({ $case: "UpsertNodePools", value: { NodePools, OnlyNew: it.draw(2) === 0 } });
}

function dispatch(it: Recorder): void {
  const template = mockBatchJob({
    ID: "template",
    Name: "template",
    ParameterizedJob: { Payload: "optional", MetaOptional: ["who"] },
  });
  if (it.draw(4) === 0) it.run({ $case: "RegisterJob", value: RegisterJob.create({ Job: template }) });
  const value = {
    Namespace: "default",
    JobID: it.draw(4) === 0 ? jobOf(it).ID : "template",
    Payload: it.random.bytes(it.draw(20)),
  };
  const rest = {
    Meta: { who: "history" },
    IdempotencyToken: it.draw(2) === 0 ? `token-${it.draw(3)}` : "",
    IdPrefixTemplate: "",
    Priority: 0,
  };
  it.run({ $case: "DispatchJob", value: { ...value, ...rest } });
}

function scale(it: Recorder): void {
  const { Namespace, ID: JobID, TaskGroups } = jobOf(it);
  const Count = it.draw(4) === 0 ? undefined : it.draw(6);
  const value = {
    Namespace,
    JobID,
    Group: TaskGroups[0]?.Name ?? "web",
    Count,
    Message: "as drawn",
    Error: it.draw(5) === 0,
    Meta: { why: 1 },
  };
  it.run({ $case: "ScaleJob", value });
}

function tag(it: Recorder): void {
  const { Namespace, ID: JobID, Version } = jobOf(it);
  const value = {
    Namespace,
    JobID,
    Name: `tag-${it.draw(3)}`,
    Version: Math.max(0, Version - it.draw(2)),
    Description: "drawn",
  };
  it.run({ $case: "TagJobVersion", value: { ...value, Remove: it.draw(4) === 0 } });
}

function services(it: Recorder): void {
  const registration = it.pick([...it.state.services.byId.values()]);
  const value = { Namespace: registration?.Namespace ?? "default", ID: registration?.ID ?? "none" };
  it.run({ $case: "DeregisterService", value });
  const job = mockJob({ ID: "serving", Name: "serving" });
  for (const group of job.TaskGroups) group.Services.push({ ...serviceOf(it) });
  if (it.draw(3) === 0) it.run({ $case: "RegisterJob", value: RegisterJob.create({ Job: job }) });
}

function serviceOf(it: Recorder): Job["TaskGroups"][number]["Services"][number] {
  const [first] = mockJob().TaskGroups.flatMap(({ Services, Tasks }) => [
    ...Services,
    ...Tasks.flatMap((task) => task.Services),
  ]);
  return {
    ...(first as Job["TaskGroups"][number]["Services"][number]),
    Name: `service-${it.draw(2)}`,
    Provider: "nomad",
    PortLabel: "",
    Checks: [],
  };
}

function evaluations(it: Recorder): void {
  const all = [...it.state.evaluations.byId.values()];
  const paused = { ...it.state.schedulerConfiguration, PauseEvalBroker: it.draw(3) > 0 };
  it.run({ $case: "SetSchedulerConfiguration", value: { Config: paused, CheckIndex: false, ModifyIndex: 0 } });
  it.run({ $case: "DeleteEvaluations", value: { EvalIDs: [it.pick(all)?.ID ?? "none"] } });
  const running = [...it.state.allocations.byId.values()].filter(({ terminal }) => !terminal);
  it.run({
    $case: "StopAllocation",
    value: { AllocID: it.pick(running)?.ID ?? "none", NoShutdownDelay: it.draw(2) === 0 },
  });
}

function variableOf(it: Recorder): Variable {
  const Path = `app/${it.draw(4)}`;
  return Variable.create({
    Namespace: it.draw(9) === 0 ? "none" : "default",
    Path,
    Items: { drawn: String(it.draw(9)) },
  });
}

function variable(it: Recorder): void {
  const Variable = variableOf(it);
  const seen = it.state.variables.get(Variable.Namespace, Variable.Path)?.ModifyIndex ?? 0;
  const value = {
    Variable,
    Delete: it.draw(4) === 0,
    CheckIndex: it.draw(2) === 0,
    ModifyIndex: it.draw(3) === 0 ? 1 : seen,
  };
  it.run({ $case: "WriteVariable", value });
}

function lockVariable(it: Recorder): void {
  const drawn = variableOf(it);
  const ID = it.state.variables.get(drawn.Namespace, drawn.Path)?.Lock?.ID ?? "";
  const Lock = VariableLock.create({ ID: it.draw(5) === 0 ? "other" : ID, TTL: 30 * SECOND, LockDelay: 15 * SECOND });
  const Operation = ID === "" ? "acquire" : (it.pick(["acquire", "renew", "release"]) ?? "");
  const value = { Variable: { ...drawn, Lock }, Operation, CheckIndex: false, ModifyIndex: 0 };
  it.run({ $case: "LockVariable", value });
}

function expireLocks(it: Recorder, lease: (it: Recorder) => number): void {
  it.now += MINUTE;
  const Term = lease(it);
  const Locks = [...it.state.variables.byKey.values()].flatMap(({ Namespace, Path, Lock }) =>
    Lock === undefined ? [] : [{ Namespace, Path, LockID: Lock.ID }],
  );
  it.run({ $case: "ExpireVariableLocks", value: { Term, Locks } });
}

function autopilot(it: Recorder): void {
  const Config = AutopilotConfiguration.create({ CleanupDeadServers: it.draw(2) === 0, MinQuorum: it.draw(3) });
  it.run({
    $case: "SetAutopilotConfiguration",
    value: { Config, CheckIndex: it.draw(2) === 0, ModifyIndex: it.draw(2) },
  });
}

function collect(it: Recorder, Term: number): void {
  const EvalIDs = [...it.state.evaluations.byId.values()].filter(({ Status }) => Status === "complete").slice(0, 8);
  const AllocIDs = [...it.state.allocations.byId.values()].filter(({ terminal }) => terminal).slice(0, 8);
  const dead = [...it.state.jobs.byKey.values()].filter(({ job }) => job.Stop).slice(0, 1);
  const DeploymentIDs = [...it.state.deployments.byId.values()].filter(({ active }) => !active).slice(0, 2);
  const value = {
    ...{ Term, EvalIDs: EvalIDs.map(({ ID }) => ID), AllocIDs: AllocIDs.map(({ ID }) => ID) },
    DeploymentIDs: DeploymentIDs.map(({ deployment }) => deployment.ID),
    Jobs: dead.map(({ job }) => ({ Namespace: job.Namespace, JobID: job.ID })),
    NodeIDs: it.draw(3) === 0 ? [...it.state.nodes.slotOf.keys()].slice(0, 1) : [],
  };
  it.run({ $case: "CollectGarbage", value });
}

/** As one region of several takes part in a job of them. */
function copies(it: Recorder, Term: number): void {
  const JobID = `copied-${it.draw(2)}`;
  const Rollout = it.now - it.draw(2) * SECOND;
  const First = it.draw(2) === 0;
  const Job = mockJob({ ID: JobID, Name: JobID });
  const Owed = First
    ? OwedCopies.create({ Namespace: "default", JobID, Rollout, Regions: ["eu", "asia"], Job })
    : undefined;
  if (it.draw(3) > 0)
    it.run({ $case: "RegisterCopy", value: { Register: RegisterJob.create({ Job }), Rollout, First, Owed } });
  else {
    const Deregister = DeregisterJob.create({ Namespace: "default", JobID });
    it.run({
      $case: "StopCopy",
      value: { Deregister, Rollout, First, Owed: Owed && { ...Owed, Job: undefined, Purge: true } },
    });
  }
  const owed = it.pick([...it.state.owed.byJob.values()]);
  const settled = {
    Term,
    Namespace: "default",
    JobID: owed?.JobID ?? JobID,
    Rollout: owed?.Rollout ?? 1,
    Regions: ["eu"],
  };
  it.run({ $case: "SettleCopies", value: settled });
  const deployment = it.pick([...it.state.deployments.byId.values()])?.deployment;
  const From = deployment?.Status ?? "running";
  const Status = it.pick(["running", "pending", "blocked", "unblocking", "failed"]) ?? "running";
  const moved = { Term, DeploymentID: deployment?.ID ?? "none", From, Status, StatusDescription: "as drawn" };
  it.run({ $case: "MoveDeployment", value: moved });
}
