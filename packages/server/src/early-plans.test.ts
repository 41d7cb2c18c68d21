import type { Call } from "@steppe/model";
import { mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import { type Command, type Job, RegisterJob, SchedulerConfiguration } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { expect, onTestFinished, test } from "vitest";
import { createEarlyPlans } from "./early-plans.ts";
import { openLocalRegion } from "./testing/local-region.ts";
import { silentLogger } from "./testing/silent-logger.ts";

type Kind = NonNullable<Command["Kind"]>;

/** A region of one node with nobody who schedules, and early plans that it may be told to make. */
async function world(fields: { types?: readonly string[]; waiting?: number } = {}) {
  const region = await openLocalRegion(silentLogger);
  onTestFinished(() => region.close());
  const call: Call = { signal: new AbortController().signal, timeoutMs: 5000 };
  const written: Kind[] = [];
  const write = (kind: Kind) => {
    written.push(kind);
    return region.writer.write(undefined, call, kind);
  };
  const early = createEarlyPlans({
    ...{ view: region.replica.view, clock: createClock(), random: createRandom() },
    ...(fields.waiting !== undefined && { waiting: { requests: fields.waiting } }),
    types: () => fields.types ?? ["service", "batch"],
  });
  await write({ $case: "RegisterNode", value: { Node: mockNode() } });
  const register = (Job: Job, more: Partial<RegisterJob> = {}) =>
    early.register({ ...RegisterJob.create({ Job }), ...more }, write);
  const placedOf = (id: string) => region.replica.view.jobs.get("default", id)?.allocations.size;
  const kinds = () => written.splice(0).flatMap(({ $case }) => ($case === "RegisterNode" ? [] : [$case]));
  return { region, write, register, placedOf, kinds, view: region.replica.view };
}

const small = (ID: string, fields: Partial<Job> = {}): Job => {
  const job = mockJob({ ID, ...fields });
  for (const group of job.TaskGroups) group.Count = 1;
  return job;
};

test("a new job is in place once it is registered", async () => {
  const { register, placedOf, kinds, view } = await world();
  const { EvalID, Index } = await register(small("web"));
  expect(kinds()).toEqual(["RegisterAndPlan"]);
  expect(placedOf("web")).toBe(1);
  expect(view.evaluations.get(EvalID)).toMatchObject({ Status: "complete", CreateIndex: Index, ModifyIndex: Index });
  expect(view.jobs.get("default", "web")?.job.Status).toBe("running");
});

test("one that finds no room, leaves a blocked evaluation", async () => {
  const { register, kinds, view } = await world();
  const job = small("web");
  for (const task of job.TaskGroups[0]?.Tasks ?? []) if (task.Resources) task.Resources.CPU = 1_000_000;
  const { EvalID } = await register(job);
  expect(kinds()).toEqual(["RegisterAndPlan"]);
  const evaluation = view.evaluations.get(EvalID);
  expect(evaluation).toMatchObject({ Status: "complete", QueuedAllocations: { [job.TaskGroups[0]?.Name ?? ""]: 1 } });
  expect(view.evaluations.get(evaluation?.BlockedEval ?? "")).toMatchObject({
    Status: "blocked",
    PreviousEval: EvalID,
  });
});

test("two at once do not take the same room", async () => {
  const { register, placedOf, view } = await world();
  const half = (id: string) => {
    const job = small(id);
    for (const task of job.TaskGroups[0]?.Tasks ?? []) if (task.Resources) task.Resources.CPU = 3000;
    return job;
  };
  const [first, second] = await Promise.all([register(half("a")), register(half("b"))]);
  expect([placedOf("a"), placedOf("b")]).toEqual([1, 0]);
  expect(view.evaluations.get(first.EvalID)?.Status).toBe("complete");
  // The first might have been refused.
  expect(view.evaluations.get(second.EvalID)?.Status).toBe("pending");
});

test.each([
  [
    "large",
    small("web"),
    (job: Job) => {
      for (const group of job.TaskGroups) group.Count = 100;
    },
  ],
  [
    "periodic",
    small("web", {
      Periodic: { Enabled: true, Spec: "@daily", SpecType: "cron", ProhibitOverlap: false, TimeZone: "UTC", Specs: [] },
    }),
    () => undefined,
  ],
  ["of a type that this process does not schedule", mockSystemJob({ ID: "web" }), () => undefined],
] as const)("a job that is %s, is left to its evaluation", async (_, job, change) => {
  const { register, kinds } = await world();
  change(job as Job);
  await register(job as Job);
  expect(kinds()).toEqual(["RegisterJob"]);
});

test("a job that is there, is left to its evaluation", async () => {
  const { register, kinds } = await world();
  await register(small("web"));
  await register(small("web", { Priority: 70 }));
  expect(kinds()).toEqual(["RegisterAndPlan", "RegisterJob"]);
});

test("one behind an evaluation of a higher priority, waits for its turn", async () => {
  const { write, register, kinds } = await world();
  await write({ $case: "RegisterJob", value: RegisterJob.create({ Job: small("first", { Priority: 60 }) }) });
  kinds();
  await register(small("low", { Priority: 50 }));
  await register(small("high", { Priority: 60 }));
  await register(small("raised", { Priority: 50 }), { EvalPriority: 61 });
  expect(kinds()).toEqual(["RegisterJob", "RegisterAndPlan", "RegisterAndPlan"]);
});

test("nothing is planned while the broker is paused, nor while many clients wait", async () => {
  const paused = await world();
  const Config = { ...SchedulerConfiguration.create(), PauseEvalBroker: true };
  await paused.write({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
  paused.kinds();
  await paused.register(small("web"));
  expect(paused.kinds()).toEqual(["RegisterJob"]);
  for (const [waiting, kind] of [
    [4, "RegisterAndPlan"],
    [5, "RegisterJob"],
  ] as const) {
    const busy = await world({ waiting });
    await busy.register(small("web"));
    expect(busy.kinds()).toEqual([kind]);
  }
});
