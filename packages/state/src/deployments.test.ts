import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate, Deployment, DeploymentState, type Plan, RegisterJob } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decodeSnapshot } from "./decode-snapshot.ts";
import { encodeSnapshot } from "./encode-snapshot.ts";
import { Ledger, planFor } from "./testing/ledger.ts";

const MINUTE = 60e9;

/** A job of three whose plan begins a deployment; `canaries` of its rows are canaries. */
function world(group: Partial<DeploymentState> = {}, canaries: number[] = []) {
  const ledger = new Ledger();
  const node = mockNode({ ID: ledger.id() });
  ledger.run({ $case: "RegisterNode", value: { Node: node } });
  const job = mockJob({ ID: "web" });
  const register = (Meta: Record<string, string> = {}) =>
    ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: { ...structuredClone(job), Meta } } });
  const evalId = register().EvalID;
  const rows = [0, 1, 2].map((n) => [n, node.ID] as [number, string]);
  const plan: Plan = planFor(ledger, evalId, "web", "web", rows);
  const TaskGroups = { web: DeploymentState.create({ DesiredTotal: 3, ProgressDeadline: 10 * MINUTE, ...group }) };
  const ID = ledger.id();
  const fields = {
    ID,
    Namespace: "default",
    JobID: "web",
    Status: "running",
    StatusDescription: "Deployment is running",
  };
  plan.Deployment = Deployment.create({ ...fields, TaskGroups });
  plan.DeploymentID = ID;
  for (const placements of plan.Placements) placements.Canaries = canaries;
  const applied = ledger.step({ $case: "ApplyPlan", value: plan });
  const report = (n: number, Healthy: boolean, DeploymentID = ID) => {
    const allocation = allocations()[n];
    const DeploymentStatus = { Healthy, Timestamp: ledger.now, Canary: false, ModifyIndex: 0 };
    const update = { ID: allocation?.ID ?? "", ClientStatus: "running", DeploymentID, DeploymentStatus };
    return ledger.step({ $case: "UpdateAllocations", value: { Updates: [AllocationUpdate.create(update)] } });
  };
  const allocations = () => [...(ledger.state.deployments.get(ID)?.allocations ?? [])];
  const entry = () => ledger.state.deployments.get(ID);
  return {
    ledger,
    register,
    node,
    ID,
    applied,
    report,
    allocations,
    entry,
    group: () => entry()?.deployment.TaskGroups.web,
  };
}

const promote = (DeploymentID: string, groups: string[] = []) =>
  ({ $case: "PromoteDeployment", value: { Term: 0, DeploymentID, All: groups.length === 0, Groups: groups } }) as const;
const fail = (DeploymentID: string) =>
  ({ $case: "FailDeployment", value: { Term: 0, DeploymentID, StatusDescription: "", Rollback: false } }) as const;

describe("deployment", () => {
  test("begun by a plan, its rows are part of it and start its clock", () => {
    const { ledger, ID, applied, allocations, entry, group } = world();
    expect(entry()?.deployment).toMatchObject({ JobVersion: 0, CreateIndex: 3, JobCreateIndex: 2, JobModifyIndex: 2 });
    expect(group()).toMatchObject({ PlacedAllocs: 3, RequireProgressBy: ledger.now + 10 * MINUTE });
    expect(allocations().every(({ DeploymentID }) => DeploymentID === ID)).toBe(true);
    expect([...applied.changes.jobDeployments]).toEqual(["default/web"]);
    expect(applied.changes.tables.has("deployments")).toBe(true);
    expect(ledger.state.deployments.ofJob("default", "web")?.index).toBe(3);
  });

  test("health, moves the counts once an allocation and the clock with every healthy one", () => {
    const { ledger, report, group, allocations, applied } = world();
    ledger.now += MINUTE;
    const { changes } = report(0, true);
    expect(changes.deployments.size).toBe(1);
    expect(group()).toMatchObject({ HealthyAllocs: 1, RequireProgressBy: ledger.now + 10 * MINUTE });
    expect(allocations()[0]?.DeploymentStatus).toMatchObject({ Healthy: true, ModifyIndex: changes.index });
    report(0, true);
    report(0, false);
    report(1, false);
    expect(group()).toMatchObject({ HealthyAllocs: 1, UnhealthyAllocs: 1 });
    expect(applied.outcomes[0]?.Placed).toBe(3);
  });

  test("health of another deployment, says nothing", () => {
    const { report, group, allocations } = world();
    report(0, true, "another");
    expect(group()?.HealthyAllocs).toBe(0);
    expect(allocations()[0]?.DeploymentStatus).toBeUndefined();
  });

  test("canaries, are named, stay canaries as they report and are none once promoted", () => {
    const { ledger, ID, report, group, allocations } = world({ DesiredCanaries: 1 }, [1]);
    const canary = allocations()[1];
    expect(group()?.PlacedCanaries).toEqual([canary?.ID]);
    expect(ledger.run(promote(ID)).Refusal?.Message).toBe(
      '1 error occurred:\n\t* Task group "web" has 0/1 healthy allocations\n\n',
    );
    report(1, true);
    expect(canary?.DeploymentStatus).toMatchObject({ Canary: true, Healthy: true });
    expect(ledger.run(promote(ID, ["api"])).Refusal?.Message).toBe('deployment has no task group "api"');
    const outcome = ledger.run(promote(ID));
    expect(outcome).toMatchObject({ Refusal: undefined, DeploymentModifyIndex: outcome.Index });
    expect(ledger.state.evaluations.get(outcome.EvalID)).toMatchObject({
      ...{ TriggeredBy: "deployment-watcher", DeploymentID: ID, Status: "pending" },
    });
    expect([canary?.DeploymentStatus?.Canary, group()?.Promoted]).toEqual([false, true]);
    expect(ledger.run(promote(ID)).Refusal?.Message).toBe("no canaries to promote");
  });

  test("paused, has no deadline; resumed, a new one", () => {
    const { ledger, ID, group, entry } = world();
    ledger.run({ $case: "PauseDeployment", value: { DeploymentID: ID, Pause: true } });
    expect([entry()?.deployment.Status, group()?.RequireProgressBy]).toEqual(["paused", 0]);
    ledger.now += MINUTE;
    ledger.run({ $case: "PauseDeployment", value: { DeploymentID: ID, Pause: false } });
    expect([entry()?.deployment.Status, group()?.RequireProgressBy]).toEqual(["running", ledger.now + 10 * MINUTE]);
  });

  test("a user calls an allocation unhealthy, it fails", () => {
    const { ledger, ID, allocations, entry } = world();
    const set = (HealthyAllocationIDs: string[], UnhealthyAllocationIDs: string[]) =>
      ledger.run({
        $case: "SetAllocationHealth",
        value: { DeploymentID: ID, HealthyAllocationIDs, UnhealthyAllocationIDs },
      });
    const [a = "", b = ""] = allocations().map((it) => it.ID);
    expect(set(["unknown"], []).Refusal?.Message).toBe('alloc "unknown" is not part of the deployment');
    expect(set([a], []).Refusal).toBeUndefined();
    expect(entry()?.deployment.Status).toBe("running");
    set([], [b]);
    expect(entry()?.deployment).toMatchObject({
      ...{ Status: "failed", StatusDescription: "Failed due to unhealthy allocations" },
      TaskGroups: { web: { HealthyAllocs: 1, UnhealthyAllocs: 1 } },
    });
  });

  test("to be rolled back, and nothing is stable or nothing differs, says so", () => {
    const { ledger, ID, entry } = world({ AutoRevert: true });
    const other = world({ AutoRevert: true });
    expect(ledger.run(fail(ID)).RevertedJobVersion).toBeUndefined();
    expect(entry()?.deployment.StatusDescription).toBe(
      "Deployment marked as failed - no stable job version to auto revert to",
    );
    const stable = { Namespace: "default", JobID: "web", JobVersion: 0, Stable: true };
    other.ledger.run({ $case: "SetJobStability", value: stable });
    other.ledger.run(fail(other.ID));
    expect(other.entry()?.deployment.StatusDescription).toBe(
      "Deployment marked as failed - not rolling back to stable job version 0 as current job has same specification",
    );
  });

  test.each([
    ["promote", (ID: string) => promote(ID), "can't promote terminal deployment"],
    ["fail", fail, "can't fail terminal deployment"],
  ])("ended or unknown, %s is refused", (_, command, text) => {
    const { ledger, ID } = world();
    ledger.run(fail(ID));
    expect(ledger.run(command(ID)).Refusal).toEqual({ Code: "refused", Message: text });
    expect(ledger.run(command("unknown")).Refusal?.Message).toBe("deployment not found");
  });

  test("running, cannot be unblocked", () => {
    const { ledger, ID } = world();
    const unblock = { $case: "UnblockDeployment", value: { DeploymentID: ID } } as const;
    expect(ledger.run(unblock).Refusal?.Message).toBe("can't unblock running deployment");
  });

  test("the job is purged, its deployments go with it", () => {
    const { ledger, ID } = world();
    const value = { Namespace: "default", JobID: "web", Purge: true, EvalPriority: 0, NoShutdownDelay: false };
    const { changes } = ledger.step({ $case: "DeregisterJob", value });
    expect(ledger.state.deployments.byId.size).toBe(0);
    expect(changes.deployments.has(ID)).toBe(true);
    expect(ledger.state.indexes.deletedAt("deployments")).toBe(changes.index);
  });

  test("what is empty of it, is shared, also when it comes from a snapshot", () => {
    const { ledger, ID } = world({});
    const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    for (const { deployments } of [ledger.state, restored]) {
      const groups = Object.values(deployments.get(ID)?.deployment.TaskGroups ?? {});
      expect(groups.map(({ PlacedCanaries }) => Object.isFrozen(PlacedCanaries))).toEqual([true]);
    }
  });

  test("snapshot and replay, hold the same", () => {
    const { ledger, ID, report, register } = world({ DesiredCanaries: 1, AutoRevert: true }, [0]);
    report(0, true);
    ledger.run(promote(ID));
    const bytes = Buffer.concat([...encodeSnapshot(ledger.state)]);
    const restored = decodeSnapshot(bytes);
    expect(restored.deployments.get(ID)?.deployment).toEqual(ledger.state.deployments.get(ID)?.deployment);
    expect(restored.deployments.get(ID)?.decidedIndex).toBe(ledger.state.deployments.get(ID)?.decidedIndex);
    expect(restored.deployments.get(ID)?.allocations.size).toBe(3);
    report(1, true);
    register({ changed: "yes" });
    expect(ledger.replay(restored).digest.value).toBe(ledger.state.digest.value);
    expect(ledger.replay().digest.value).toBe(ledger.state.digest.value);
    expect(restored.deployments.get(ID)?.deployment.StatusDescription).toBe("Cancelled due to newer version of job");
  });
});

describe("revert", () => {
  const revert = (JobVersion: number, EnforcePriorVersion?: number) =>
    ({
      $case: "RevertJob",
      value: { Namespace: "default", JobID: "web", JobVersion, EnforcePriorVersion },
    }) as const;

  test("an older version, is registered again as the newest", () => {
    const { ledger, register } = world();
    register({ changed: "yes" });
    const outcome = ledger.run(revert(0, 1));
    const job = ledger.state.jobs.get("default", "web")?.job;
    expect(job).toMatchObject({ Version: 2, JobModifyIndex: outcome.JobModifyIndex, Stable: false });
    expect(job?.Meta).toEqual({});
    expect(ledger.state.evaluations.get(outcome.EvalID)?.TriggeredBy).toBe("job-register");
  });

  test.each([
    [revert(1), "can't revert to current version"],
    [revert(7), 'job "web" in namespace "default" at version 7 not found'],
    [revert(0, 0), "Current job has version 1; enforcing version 0"],
  ])("%j, is refused", (command, text) => {
    const { ledger, register } = world();
    register({ changed: "yes" });
    expect(ledger.run(command).Refusal).toEqual({ Code: "refused", Message: text });
  });
});
