import { fromJson, toJson } from "@steppe/model";
import { jsonOf } from "@steppe/model/internal";
import {
  AllocMetric,
  type Deployment,
  DisconnectStrategy,
  EphemeralDisk,
  Evaluation,
  Job,
  LogConfig,
  MigrateStrategy,
  ReschedulePolicy,
  Resources,
  RestartPolicy,
  Task,
  TaskGroup,
  UpdateStrategy,
} from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SharedParts } from "./shared-parts.ts";
import { TextPool } from "./text-pool.ts";

const parts = () => new SharedParts(new TextPool());

/** Where a policy of each kind stands, in a job of one group and task. */
const KINDS = {
  UpdateStrategy: [UpdateStrategy, (job, it) => (group(job).Update = it as UpdateStrategy)],
  RestartPolicy: [RestartPolicy, (job, it) => (task(job).RestartPolicy = it as RestartPolicy)],
  ReschedulePolicy: [ReschedulePolicy, (job, it) => (group(job).ReschedulePolicy = it as ReschedulePolicy)],
  MigrateStrategy: [MigrateStrategy, (job, it) => (group(job).Migrate = it as MigrateStrategy)],
  DisconnectStrategy: [DisconnectStrategy, (job, it) => (group(job).Disconnect = it as DisconnectStrategy)],
  EphemeralDisk: [EphemeralDisk, (job, it) => (group(job).EphemeralDisk = it as EphemeralDisk)],
  LogConfig: [LogConfig, (job, it) => (task(job).LogConfig = it as LogConfig)],
  Resources: [Resources, (job, it) => (task(job).Resources = it as Resources)],
} satisfies Record<string, readonly [{ create(): object }, (job: Job, it: object) => void]>;

const group = (job: Job) => job.TaskGroups[0] as TaskGroup;
const task = (job: Job) => group(job).Tasks[0] as Task;

function jobWith(put: (job: Job, it: object) => void, it: object): Job {
  const job = Job.create({ ID: "a", Name: "a", TaskGroups: [TaskGroup.create({ Tasks: [Task.create()] })] });
  put(job, it);
  return job;
}

describe("SharedParts", () => {
  test("two jobs that differ in their names only, all else is shared", () => {
    const shared = parts();
    const [a, b] = ["a", "b"].map((ID) => {
      const job = jobWith(KINDS.UpdateStrategy[1], UpdateStrategy.create({ MaxParallel: 2, Stagger: 3e10 }));
      const decoded = Job.decode(Job.encode({ ...job, ID, Name: ID, Datacenters: ["dc1"] }).finish());
      shared.ofJob(decoded);
      return decoded;
    }) as [Job, Job];
    expect(b.Datacenters).toBe(a.Datacenters);
    expect(b.Constraints).toBe(a.Constraints);
    expect(group(b).Update).toBe(group(a).Update);
    expect(task(b).Env).toBe(task(a).Meta);
    expect(b).toEqual({ ...a, ID: "b", Name: "b" });
  });

  test("what is shared is changed in place, it is told", () => {
    const job = jobWith(KINDS.LogConfig[1], LogConfig.create({ MaxFiles: 1 }));
    parts().ofJob(job);
    expect(() => job.Constraints.push({ LTarget: "", RTarget: "", Operand: "" })).toThrow(TypeError);
    expect(() => Object.assign(job.Meta, { a: "b" })).toThrow(TypeError);
    expect(() => Object.assign(task(job).LogConfig as LogConfig, { MaxFiles: 2 })).toThrow(TypeError);
  });

  describe.each(Object.entries(KINDS))("%s", (_, [type, put]) => {
    const base = type.create();
    const fields = Object.keys(base);

    test("two that are equal, one object", () => {
      const shared = parts();
      const [a, b] = [jobWith(put, type.create()), jobWith(put, type.create())];
      shared.ofJob(a);
      shared.ofJob(b);
      expect(b).toEqual(a);
      expect([...policies(b)].some((it) => policies(a).has(it))).toBe(true);
    });

    test.each(fields)("they differ in %s, each keeps its own", (field) => {
      const shared = parts();
      const other = { ...base, [field]: another((base as Record<string, unknown>)[field]) };
      const [a, b] = [jobWith(put, type.create()), jobWith(put, other)];
      shared.ofJob(a);
      shared.ofJob(b);
      expect([...policies(b)]).toContainEqual(other);
    });
  });

  test("evaluations, what is empty is shared and the rest stays", () => {
    const shared = parts();
    const [a, b] = [Evaluation.create({ ID: "a" }), Evaluation.create({ ID: "b", QueuedAllocations: { web: 1 } })];
    shared.ofEvaluation(a);
    shared.ofEvaluation(b);
    expect(b.RelatedEvals).toBe(a.RelatedEvals);
    expect(b).toEqual(Evaluation.create({ ID: "b", QueuedAllocations: { web: 1 } }));
  });

  test("why nothing was placed, what is empty of it is shared and the rest stays", () => {
    const shared = parts();
    const metrics = () =>
      AllocMetric.create({ NodePool: "default", DimensionExhausted: { cpu: 3 }, NodesEvaluated: 3 });
    const [a, b] = [metrics(), metrics()];
    for (const web of [a, b]) shared.ofEvaluation({ ...Evaluation.create(), FailedTGAllocs: { web } });
    expect(b.Scores).toBe(a.ClassFiltered);
    expect(b.ScoreMetaData).toBe(a.QuotaExhausted);
    expect(b).toEqual(metrics());
  });

  test.each([
    ["Job", (it: SharedParts, message: object) => it.ofJob(message as Job)],
    ["Evaluation", (it: SharedParts, message: object) => it.ofEvaluation(message as Evaluation)],
    ["Deployment", (it: SharedParts, message: object) => it.ofDeployment(message as Deployment)],
  ] as const)("any %ss one after the other, each says what it said", (name, share) => {
    fc.assert(
      fc.property(fc.array(jsonOf(name, 5), { minLength: 1, maxLength: 8 }), (given) => {
        const shared = parts();
        const messages = given.map((json) => fromJson<object>(name, json));
        const before = messages.map((message) => toJson(name, message));
        for (const message of messages) share(shared, message);
        expect(messages.map((message) => toJson(name, message))).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });
});

/** The objects in a job's group and task, but for maps without entries. */
function policies(job: Job): Set<unknown> {
  const all = [...Object.values(group(job)), ...Object.values(task(job))];
  const isPolicy = (it: unknown) => typeof it === "object" && it !== null && Object.keys(it).length > 0;
  return new Set(all.filter((it) => isPolicy(it) && !Array.isArray(it)));
}

/** Another value than a field has, of its kind where that shows. */
function another(value: unknown): unknown {
  if (Array.isArray(value)) return [{}];
  if (typeof value === "boolean") return !value;
  return value === undefined ? 7 : { Affinity: "require" };
}
