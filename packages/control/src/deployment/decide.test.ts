import { mockJob } from "@steppe/model/internal";
import { Deployment, DeploymentState, Evaluation, type TaskGroup } from "@steppe/proto";
import { AllocationState, askOf, type DeploymentView } from "@steppe/state";
import { describe, expect, test } from "vitest";
import { decideDeployment, dueAtNs, seenIndexOf } from "./decide.ts";

const NOW = 1_000e9;
const job = mockJob();
const group = job.TaskGroups[0] as TaskGroup;

interface Given {
  readonly healthy?: boolean | undefined;
  readonly canary?: boolean;
  readonly failed?: boolean;
  readonly told?: boolean;
  readonly allowed?: boolean;
  readonly attempts?: number;
}

const ORIGIN = { TaskGroup: group.Name, EvalID: "e", Metrics: undefined, moment: { index: 5, time: NOW } };

function allocation(given: Given, i: number): AllocationState {
  const it = new AllocationState(`a${i}`, job, askOf(group), i, "n", ORIGIN);
  it.DeploymentID = "d";
  it.ClientStatus = given.failed ? "failed" : "running";
  it.DesiredStatus = given.told ? "stop" : "run";
  it.amend({ Reschedule: given.allowed ?? false });
  const status = { Healthy: given.healthy, Canary: given.canary ?? false, ModifyIndex: 10 };
  it.fare(status, 0);
  const event = { RescheduleTime: NOW, PrevAllocID: "p", PrevNodeID: "n", Delay: 5e9 };
  if (given.attempts) {
    it.amend({ RescheduleTracker: { Events: Array(given.attempts).fill(event), LastReschedule: "ok" } });
  }
  return it;
}

function deployment(state: Partial<DeploymentState>, allocations: Given[], status = "running"): DeploymentView {
  const base = { ProgressDeadline: 600e9, RequireProgressBy: NOW + 60e9, DesiredTotal: 3 };
  const TaskGroups = { web: DeploymentState.create({ ...base, ...state }) };
  return {
    deployment: Deployment.create({ ID: "d", Status: status, TaskGroups }),
    allocations: new Set(allocations.map(allocation)),
    active: status === "running" || status === "paused",
    decidedIndex: 0,
  };
}

const decide = (entry: DeploymentView, seen = 10, before: readonly AllocationState[] = []) =>
  decideDeployment(entry, job, [...entry.allocations, ...before].filter((it) => !it.terminal).length, seen, NOW);
const failed = (description: string, rollback = false) => ({ kind: "fail", description, rollback });
const UNHEALTHY = "Failed due to unhealthy allocations";
const DEADLINE = "Failed due to progress deadline";
const canaries = { DesiredCanaries: 1, AutoPromote: true };

describe("deployment watcher, one of three turned healthy, decides", () => {
  const three = [{ healthy: true }, {}, {}];
  const advance = { kind: "advance", replace: [] };
  const rows: [string, DeploymentView, AllocationState[], object][] = [
    ["all are placed, nothing to do before all are healthy", deployment({}, three), [], { kind: "wait" }],
    ["all are healthy, to end it", deployment({}, Array(3).fill({ healthy: true })), [], advance],
    ["one is not placed yet", deployment({ DesiredTotal: 4 }, three), [], advance],
    ["one of before still runs", deployment({}, three), [allocation({ healthy: true }, 9)], advance],
    ["one of before was told to stop", deployment({}, three), [allocation({ told: true }, 9)], { kind: "wait" }],
    ["canaries are not promoted", deployment({ DesiredCanaries: 3 }, three), [], advance],
    ["one was told to stop", deployment({}, [...three.slice(1), { told: true, healthy: true }]), [], { kind: "wait" }],
  ];
  test.each(rows)("%s", (_, entry, before, decision) => {
    expect(decide(entry, 9, before)).toEqual(decision);
  });
});

describe("deployment watcher decides", () => {
  const rows: [string, DeploymentView, object, number?][] = [
    ["nothing new", deployment({}, [{ healthy: true }, {}]), { kind: "wait" }],
    ["one turned healthy", deployment({}, [{ healthy: true }]), { kind: "advance", replace: [] }, 9],
    [
      "one turned healthy that is no longer wanted",
      deployment({}, [{ healthy: true, told: true }]),
      { kind: "wait" },
      9,
    ],
    ["one is unhealthy", deployment({}, [{ healthy: false }]), { kind: "advance", replace: ["a0"] }],
    ["one is unhealthy and was let go", deployment({}, [{ healthy: false, allowed: true }]), { kind: "wait" }],
    ["one failed before anybody knew", deployment({}, [{ failed: true }]), { kind: "advance", replace: ["a0"] }],
    ["one failed after it was healthy", deployment({}, [{ failed: true, healthy: true }]), { kind: "wait" }],
    ["unhealthy, no attempts left", deployment({}, [{ healthy: false, attempts: 2 }]), failed(UNHEALTHY)],
    ["unhealthy, no progress deadline", deployment({ ProgressDeadline: 0 }, [{ healthy: false }]), failed(UNHEALTHY)],
    [
      "the same with AutoRevert",
      deployment({ ProgressDeadline: 0, AutoRevert: true }, [{ healthy: false }]),
      failed(UNHEALTHY, true),
    ],
    ["the deadline passed", deployment({ RequireProgressBy: NOW }, [{ healthy: true }]), failed(DEADLINE)],
    [
      "the deadline passed, all are healthy",
      deployment({ RequireProgressBy: NOW, DesiredTotal: 1 }, [{ healthy: true }]),
      { kind: "wait" },
    ],
    [
      "the deadline passed, canaries wait for a person",
      deployment({ RequireProgressBy: NOW, DesiredCanaries: 1 }, [{ healthy: true, canary: true }]),
      { kind: "wait" },
    ],
    [
      "the deadline passed, a canary is not healthy",
      deployment({ RequireProgressBy: NOW, DesiredCanaries: 1, AutoRevert: true }, [{ canary: true }]),
      failed(DEADLINE, true),
    ],
    ["all canaries healthy", deployment(canaries, [{ healthy: true, canary: true }]), { kind: "promote" }],
    [
      "a canary is not healthy yet",
      deployment({ ...canaries, DesiredCanaries: 2 }, [{ healthy: true, canary: true }, { canary: true }]),
      { kind: "wait" },
    ],
    ["paused", deployment(canaries, [{ healthy: true, canary: true }], "paused"), { kind: "wait" }],
    ["ended", deployment({ RequireProgressBy: NOW }, [{ healthy: false }], "failed"), { kind: "wait" }],
  ];
  test.each(rows)("%s", (_, entry, decision, seen = 10) => {
    expect(decide(entry, seen)).toEqual(decision);
  });

  test("the deadline, the earliest of the groups that lag", () => {
    expect(dueAtNs(deployment({}, [{}]))).toBe(NOW + 60e9);
    expect(dueAtNs(deployment({ DesiredTotal: 1 }, [{ healthy: true }]))).toBe(Number.POSITIVE_INFINITY);
    expect(dueAtNs(deployment({}, [{}], "failed"))).toBe(Number.POSITIVE_INFINITY);
  });

  test("what evaluations have seen, by their status", () => {
    const of = (fields: Partial<Evaluation>) => seenIndexOf([Evaluation.create(fields)]);
    expect(of({ Status: "complete", CreateIndex: 7, SnapshotIndex: 8 })).toBe(8);
    expect(of({ Status: "pending", CreateIndex: 7 })).toBe(7);
    expect(of({ Status: "pending", CreateIndex: 7, WaitUntil: NOW })).toBe(0);
    expect(of({ Status: "canceled", CreateIndex: 7, SnapshotIndex: 8 })).toBe(0);
  });
});
