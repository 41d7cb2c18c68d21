import { SECOND } from "@steppe/model";
import { mockBatchJob, mockJob, mockNode } from "@steppe/model/internal";
import { DisconnectStrategy, type Job, type TaskState, TaskState as TaskStates } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";
import { RULES } from "./rules.ts";

const LATER = 3600 * SECOND;
const endedWell: Record<string, TaskState> = { web: TaskStates.create({ State: "dead" }) };

/** A job of three allocations on four nodes, all running and rolled out. */
function running(make: () => Job, change: (job: Job) => void = () => undefined): { world: World; job: Job } {
  const world = new World();
  world.addNodes(...[0, 1, 2, 3].map((i) => mockNode({}, i)));
  const job = make();
  for (const group of job.TaskGroups) group.Count = 3;
  change(job);
  world.process(world.register(job));
  if (job.Type === "service") world.rollOut(job);
  else for (const allocation of world.live(job)) world.report(allocation, "running");
  return { world, job };
}

const first = (world: World, job: Job) => {
  const allocation = world.allocations(job).find(({ NameIndex }) => NameIndex === 0);
  if (allocation === undefined) throw new Error("no allocation");
  return allocation;
};

/** The same with one canary of its next version. */
function canarying(): { world: World; job: Job } {
  const given = running(mockJob, (job) => {
    for (const { Update } of job.TaskGroups) Object.assign(Update ?? {}, { Canary: 1 });
  });
  given.world.process(given.world.register({ ...given.job, Meta: { changed: "yes" } }));
  return given;
}

const noRetry = { Attempts: 0, Interval: 0, Delay: 0, DelayFunction: "", MaxDelay: 0, Unlimited: false };
const setPolicy = (policy: typeof noRetry) => (job: Job) => {
  for (const group of job.TaskGroups) group.ReschedulePolicy = policy;
};
const setDisconnect = (strategy: Partial<DisconnectStrategy> | undefined) => (job: Job) => {
  for (const group of job.TaskGroups) group.Disconnect = strategy && DisconnectStrategy.create(strategy);
};
const soon = { Attempts: 0, Interval: 0, Delay: 5 * SECOND, DelayFunction: "constant", MaxDelay: 0, Unlimited: true };

/** One story a rule, named after it. */
const STORIES: Readonly<Record<string, () => void>> = {
  "told to stop, but a batch task of this version ended well first": () => {
    const { world, job } = running(mockBatchJob);
    const before = first(world, job);
    world.report(before, "complete", endedWell);
    world.run({
      $case: "ApplyPlan",
      value: { ...world.plan(world.evaluate(job)), Result: undefined, Stops: [stopOf(before.ID)] },
    });
    world.settle();
    expect(world.names(job)).toEqual(["work[1]", "work[2]"]);
  },
  "told to stop for a replacement that was then refused": () => {
    const { world, job } = running(mockJob, setPolicy(soon));
    const before = first(world, job);
    world.report(before, "failed");
    world.now += LATER;
    const [evaluation] = world.due();
    const plan = world.plan(evaluation as never);
    world.apply({ ...plan, Placements: [], Evaluations: [], Result: undefined });
    expect(before.DesiredStatus).toBe("stop");
    world.settle();
    const after = world.live(job).find(({ NameIndex }) => NameIndex === 0);
    expect(after?.PreviousAllocation).toBe(before.ID);
    expect(after?.RescheduleTracker?.Events).toHaveLength(1);
  },
  "told to stop": () => {
    const { world, job } = running(mockJob);
    world.process(world.deregister(job));
    expect(world.plan(world.register({ ...job, Priority: 60 })).Stops).toEqual([]);
  },
  "ended, and no longer wanted": () => {
    const { world, job } = running(mockJob);
    world.report(first(world, job), "complete");
    expect(world.process(world.deregister(job)).Stops.flatMap(({ AllocIDs }) => AllocIDs)).toHaveLength(2);
  },
  "ended, batch, of an older version: a new version starts anew": () => {
    const { world, job } = running(mockBatchJob);
    for (const allocation of world.live(job)) world.report(allocation, "complete", endedWell);
    world.process(world.register({ ...job, Meta: { changed: "yes" } }));
    expect(world.names(job)).toEqual(["work[0]", "work[1]", "work[2]"]);
  },
  "complete, batch: never again in this version": () => {
    const { world, job } = running(mockBatchJob);
    world.report(first(world, job), "complete");
    world.process(world.evaluate(job));
    expect(world.names(job)).toEqual(["work[1]", "work[2]"]);
  },
  "complete, service: should not have ended": () => {
    const { world, job } = running(mockJob);
    world.report(first(world, job), "complete");
    world.process(world.evaluate(job));
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
  },
  "lost before": () => {
    const { world, job } = running(mockJob);
    const before = first(world, job);
    world.setStatus(before.NodeID, "down");
    world.settle();
    const plan = world.process(world.evaluate(job));
    expect([plan.Stops, plan.Placements]).toEqual([[], []]);
  },
  "failed and replaced": () => {
    const { world, job } = running(mockJob, setPolicy(soon));
    world.report(first(world, job), "failed");
    world.now += LATER;
    world.settle();
    expect(world.process(world.evaluate(job)).Placements).toEqual([]);
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
  },
  "failed, of an older version whose tasks differ: a new version starts anew": () => {
    const { world, job } = running(mockJob, setPolicy(noRetry));
    world.report(first(world, job), "failed");
    world.settle();
    world.process(world.register({ ...job, Meta: { changed: "yes" } }));
    const renewed = world.live(job).find(({ NameIndex }) => NameIndex === 0);
    expect(renewed?.Job.Version).toBe(1);
    expect(renewed?.RescheduleTracker).toBeUndefined();
  },
  "failed, and a user wants it replaced now": () => {
    const { world, job } = running(mockJob, setPolicy(noRetry));
    world.report(first(world, job), "failed");
    world.settle();
    expect(world.names(job)).toEqual(["web[1]", "web[2]"]);
    world.process(world.evaluate(job, true));
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
  },
  "failed, a canary whose deployment has ended": () => {
    const { world, job } = canarying();
    const canary = world.live(job).find(({ DeploymentStatus }) => DeploymentStatus?.Canary);
    if (canary === undefined) throw new Error("no canary");
    world.report(canary, "failed", {}, false);
    const value = { Term: 0, DeploymentID: canary.DeploymentID, StatusDescription: "", Rollback: false };
    world.run({ $case: "FailDeployment", value });
    world.settle();
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
    expect(world.live(job).every(({ Job }) => Job.Version === 0)).toBe(true);
  },
  "a canary that was never promoted, and its deployment has ended": () => {
    const { world, job } = canarying();
    expect(world.names(job)).toEqual(["web[0]", "web[0]", "web[1]", "web[2]"]);
    world.process(world.register({ ...job, Meta: { changed: "again" } }));
    const canaries = world.live(job).filter(({ DeploymentStatus }) => DeploymentStatus?.Canary);
    expect(canaries.map(({ Job }) => Job.Version)).toEqual([2]);
  },
  "failed, and its deployment does not let it be replaced": () => {
    const { world, job } = running(mockJob, setPolicy(soon));
    world.process(world.register({ ...job, Meta: { changed: "yes" } }));
    const fresh = world.live(job).find(({ Job }) => Job.Version === 1);
    if (fresh === undefined) throw new Error("nothing was updated");
    world.report(fresh, "failed", {}, false);
    world.now += LATER;
    world.settle();
    expect(world.names(job)).toEqual(["web[1]", "web[2]"]);
    world.mayReplace(fresh);
    world.now += LATER;
    world.settle();
    const after = world.live(job).find(({ NameIndex }) => NameIndex === 0);
    expect([after?.PreviousAllocation, after?.DeploymentID]).toEqual([fresh.ID, fresh.DeploymentID]);
  },
  "failed, and this is the evaluation it waited for": () => {
    const { world, job } = running(mockJob, setPolicy({ ...soon, Delay: 60 * SECOND }));
    const [a, b] = world.live(job);
    world.report(a as never, "failed");
    world.now += 3 * SECOND;
    world.report(b as never, "failed");
    world.settle();
    world.settle();
    const waiting = [...world.state.evaluations.byId.values()].filter((it) => it.WaitUntil > world.now);
    world.now = Math.max(...waiting.map(({ WaitUntil }) => WaitUntil));
    world.settle();
    expect(world.live(job)).toHaveLength(3);
  },
  "failed, and its delay is over": () => {
    const { world, job } = running(mockJob, setPolicy(soon));
    const before = first(world, job);
    world.report(before, "failed");
    world.now += 4.5 * SECOND;
    world.settle();
    const after = world.live(job).find(({ NameIndex }) => NameIndex === 0);
    expect(after?.PreviousAllocation).toBe(before.ID);
    expect(after?.NodeID).not.toBe(before.NodeID);
    expect(before.NextAllocation).toBe(after?.ID);
    expect(before.DesiredDescription).toBe("alloc was rescheduled because it failed");
    const event = { RescheduleTime: world.now, PrevAllocID: before.ID, PrevNodeID: before.NodeID, Delay: 5 * SECOND };
    expect(after?.RescheduleTracker?.Events).toEqual([event]);
  },
  "failed, and its delay is not over": () => {
    const { world, job } = running(mockJob, setPolicy(soon));
    const before = first(world, job);
    world.report(before, "failed");
    const failedAt = before.ModifyTime;
    world.settle();
    const followUp = world.evaluation(before.FollowupEvalID);
    expect(world.names(job)).toEqual(["web[1]", "web[2]"]);
    expect([followUp.TriggeredBy, followUp.WaitUntil]).toEqual(["alloc-failure", failedAt + 5 * SECOND]);
    expect(world.process(world.evaluate(job)).FollowUps).toEqual([]);
    world.now = followUp.WaitUntil;
    world.settle();
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
  },
  "failed, without attempts left": () => {
    const { world, job } = running(mockJob, setPolicy(noRetry));
    world.report(first(world, job), "failed");
    world.now += LATER;
    world.settle();
    expect(world.names(job)).toEqual(["web[1]", "web[2]"]);
  },
  "its node is down or gone": () => {
    const { world, job } = running(mockJob);
    const before = first(world, job);
    world.setStatus(before.NodeID, "down");
    world.settle();
    expect([before.DesiredStatus, before.ClientStatus]).toEqual(["stop", "lost"]);
    expect(before.DesiredDescription).toBe("alloc is lost since its node is down");
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
    expect(world.live(job).every(({ NodeID }) => NodeID !== before.NodeID)).toBe(true);
  },
  "the job is stopped, or has no such group": () => {
    const { world, job } = running(mockJob);
    const other = job.TaskGroups.map((group) => ({ ...group, Name: "other" }));
    world.process(world.register({ ...job, TaskGroups: other }));
    expect(world.names(job)).toEqual(["other[0]", "other[1]", "other[2]"]);
    world.process(world.deregister(job));
    expect(world.live(job)).toEqual([]);
  },
  "it is to leave its node": () => {
    const { world, job } = running(mockJob);
    const before = first(world, job);
    world.drain(before.NodeID);
    world.process(world.evaluate(job));
    expect(before.DesiredStatus).toBe("run");
    world.migrate(before);
    world.settle();
    const after = world.live(job).find(({ NameIndex }) => NameIndex === before.NameIndex);
    expect(before.DesiredDescription).toBe("alloc is being migrated");
    expect(after?.PreviousAllocation).toBe(before.ID);
    expect(after?.NodeID).not.toBe(before.NodeID);
  },
  "lost, and its node is given time to stop it first": () => {
    const { world, job } = running(mockJob, setDisconnect({ StopOnClientAfter: 60 * SECOND }));
    const before = first(world, job);
    world.setStatus(before.NodeID, "down");
    world.settle();
    world.process(world.evaluate(job));
    expect([before.ClientStatus, world.names(job)]).toEqual(["lost", ["web[1]", "web[2]"]]);
  },
  "lost, and this is the evaluation it waited for": () => {
    const { world, job } = running(mockJob, setDisconnect({ StopOnClientAfter: 60 * SECOND }));
    const before = first(world, job);
    world.setStatus(before.NodeID, "down");
    world.settle();
    // The task may take its kill timeout of 5 s on top.
    world.now = world.evaluation(before.FollowupEvalID).WaitUntil;
    expect(world.now).toBe(1_000_000 * SECOND + 65 * SECOND);
    world.settle();
    expect(world.names(job)).toEqual(["web[0]", "web[1]", "web[2]"]);
    expect(before.NextAllocation).not.toBe("");
  },
  "its node is disconnected, as its group allows": () => {
    const { world, before, job } = disconnected({ LostAfter: 60 * SECOND });
    expect([before.DesiredStatus, before.ClientStatus]).toEqual(["run", "unknown"]);
    expect(before.ClientDescription).toBe("alloc is unknown since its node is disconnected");
    expect(world.evaluation(before.FollowupEvalID)).toMatchObject({
      TriggeredBy: "max-disconnect-timeout",
      StatusDescription: "created for delayed disconnect timeout",
      WaitUntil: world.now + 60 * SECOND,
    });
    expect(world.live(job).filter(({ NameIndex }) => NameIndex === 0)).toHaveLength(2);
    expect(world.state.jobs.get("default", job.ID)?.summary.Summary.web).toMatchObject({ Unknown: 1 });
  },
  "its node is disconnected, which its group does not allow": () => {
    const { before, world, job } = disconnected(undefined);
    expect([before.DesiredStatus, before.ClientStatus]).toEqual(["stop", "lost"]);
    expect(world.live(job)).toHaveLength(3);
  },
  "unknown, and not heard of since": () => {
    const { world, before, job } = disconnected({ LostAfter: 60 * SECOND, Replace: false });
    expect(world.live(job)).toHaveLength(3);
    world.setStatus(before.NodeID, "ready");
    world.settle();
    expect(world.process(world.evaluate(job))).toMatchObject({
      Stops: [],
      Placements: [],
      Reconnects: [],
      FollowUps: [],
    });
    expect(before.ClientStatus).toBe("unknown");
  },
  "unknown for longer than its group allows": () => {
    const { world, before, job } = disconnected({ LostAfter: 60 * SECOND, Replace: false });
    world.now = world.evaluation(before.FollowupEvalID).WaitUntil;
    world.settle();
    expect([before.DesiredStatus, before.ClientStatus]).toEqual(["stop", "lost"]);
    expect(world.live(job).find(({ NameIndex }) => NameIndex === 0)?.PreviousAllocation).toBe(before.ID);
  },
  "unknown before, and back": () => {
    const { world, before, job } = disconnected({ LostAfter: 60 * SECOND, Reconcile: "keep_original" });
    const replacement = world.live(job).find(({ PreviousAllocation }) => PreviousAllocation === before.ID);
    world.setStatus(before.NodeID, "ready");
    world.report(before, "running");
    expect(world.due().map(({ TriggeredBy }) => TriggeredBy)).toContain("reconnect");
    world.settle();
    expect(replacement?.DesiredDescription).toBe("alloc not needed due to disconnected client reconnect");
    expect([before.ClientStatus, before.UnknownSince, world.names(job)]).toEqual([
      "running",
      0,
      ["web[0]", "web[1]", "web[2]"],
    ]);
  },
  runs: () => {
    const { world, job } = running(mockJob);
    const plan = world.process(world.evaluate(job));
    expect([plan.Stops, plan.Placements, plan.InPlaceUpdates]).toEqual([[], [], []]);
  },
};

/** The first allocation, whose node went without a word. */
function disconnected(strategy: Partial<DisconnectStrategy> | undefined) {
  const { world, job } = running(mockJob, setDisconnect(strategy));
  const before = first(world, job);
  world.setStatus(before.NodeID, "disconnected");
  world.settle();
  return { world, job, before };
}

function stopOf(id: string) {
  const stop = { AllocIDs: [id], DesiredStatus: "stop", DesiredDescription: "", ClientStatus: "", FollowupEvalID: "" };
  return stop;
}

describe("service and batch reconciler", () => {
  it.each(RULES.map(([name]) => name))("%s", (name) => {
    const story = STORIES[name];
    if (story === undefined) throw new Error(`the rule ${JSON.stringify(name)} has no story`);
    story();
  });
});
