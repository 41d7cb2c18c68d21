// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
import { Job } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mockBatchJob, mockJob, mockSystemJob } from "../fixtures.ts";
import { fromJson, toJson } from "../json.ts";
import { jsonOf } from "../json-arbitrary.ts";
import { PERIODIC_JOB, SEED_JOB, TASK_NETWORK_JOB } from "../older-jobs.ts";
import { HOUR, MINUTE, SECOND } from "../time.ts";
import { DEFAULT_LIMITS, validateJob } from "../validate/index.ts";
import { canonicalizeJob } from "./index.ts";

const limits = { ...DEFAULT_LIMITS, cronError: () => undefined };

function canonical(given: unknown): Job {
  const job = fromJson<Job>("Job", given);
  canonicalizeJob(job, { region: "here" });
  return job;
}

const task = { Name: "t", Driver: "exec" };
const minimal = (fields: object, group: object = {}): object => ({
  ID: "a",
  ...fields,
  TaskGroups: [{ Name: "g", Tasks: [task], ...group }],
});
const groupOf = (job: Job): Job["TaskGroups"][number] => job.TaskGroups[0] as Job["TaskGroups"][number];
const taskOf = (job: Job): Job["TaskGroups"][number]["Tasks"][number] =>
  groupOf(job).Tasks[0] as Job["TaskGroups"][number]["Tasks"][number];

describe("canonicalize", () => {
  it("the least job of each type: every default of the API, and valid", () => {
    const job = canonical(minimal({}));
    expect(job).toMatchObject({
      Region: "here",
      Namespace: "default",
      Name: "a",
      Type: "service",
      Priority: 50,
      NodePool: "default",
      Datacenters: ["*"],
      Update: { Stagger: 30 * SECOND, MaxParallel: 1, HealthCheck: "checks", Canary: 0, AutoRevert: false },
    });
    expect(groupOf(job)).toMatchObject({
      Count: 1,
      Update: {
        MinHealthyTime: 10 * SECOND,
        HealthyDeadline: 5 * MINUTE,
        ProgressDeadline: 10 * MINUTE,
        AutoPromote: false,
      },
      RestartPolicy: { Attempts: 2, Interval: 30 * MINUTE, Delay: 15 * SECOND, Mode: "fail", RenderTemplates: false },
      ReschedulePolicy: { Unlimited: true, Delay: 30 * SECOND, DelayFunction: "exponential", MaxDelay: HOUR },
      Migrate: { MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: 10 * SECOND, HealthyDeadline: 5 * MINUTE },
      EphemeralDisk: { Sticky: false, Migrate: false, SizeMB: 300 },
    });
    expect(taskOf(job)).toMatchObject({
      KillTimeout: 5 * SECOND,
      Resources: { CPU: 100, Cores: 0, MemoryMB: 300, MemoryMaxMB: 0 },
      LogConfig: { MaxFiles: 10, MaxFileSizeMB: 10, Disabled: false },
      RestartPolicy: groupOf(job).RestartPolicy,
    });
    for (const Type of ["service", "batch", "system", "sysbatch"]) {
      expect(validateJob(canonical(minimal({ Type })), limits)).toEqual([]);
    }
  });

  it("batch: its own restart and reschedule policies, no update, no migrate", () => {
    const group = groupOf(canonical(minimal({ Type: "batch" })));
    expect(group).toMatchObject({
      Update: undefined,
      Migrate: undefined,
      RestartPolicy: { Attempts: 3, Interval: 24 * HOUR, Mode: "fail" },
      ReschedulePolicy: {
        Attempts: 1,
        Interval: 24 * HOUR,
        Delay: 5 * SECOND,
        DelayFunction: "constant",
        Unlimited: false,
      },
    });
  });

  it.each(["system", "sysbatch"])("%s: no reschedule policy", (Type) => {
    expect(groupOf(canonical(minimal({ Type }))).ReschedulePolicy).toBeUndefined();
  });

  it("blocks of the job: inherited by groups, what a group sets wins, input-only ones disappear", () => {
    const job = canonical(
      minimal(
        { Update: { MaxParallel: 5, Canary: 1 }, Reschedule: { Delay: 7e9 }, Migrate: { MaxParallel: 3 } },
        { Update: { MaxParallel: 2 }, ReschedulePolicy: { MaxDelay: 60e9 } },
      ),
    );
    expect(groupOf(job)).toMatchObject({
      Update: { MaxParallel: 2, Canary: 1, Stagger: 30 * SECOND },
      ReschedulePolicy: { Delay: 7e9, MaxDelay: 60e9, DelayFunction: "exponential" },
      Migrate: { MaxParallel: 3, HealthCheck: "checks" },
    });
    expect(job).toMatchObject({ Reschedule: undefined, Migrate: undefined });
  });

  it("an Update of zeros: unset for every type of job; MaxParallel 0 alone is a choice", () => {
    const zeros = { Stagger: 0, MaxParallel: 0 };
    expect(groupOf(canonical(minimal({ Update: zeros }))).Update?.MaxParallel).toBe(1);
    expect(canonical(minimal({ Type: "batch", Update: zeros })).Update).toBeUndefined();
    expect(groupOf(canonical(minimal({}, { Update: zeros }))).Update?.Stagger).toBe(30 * SECOND);
    expect(groupOf(canonical(minimal({ Update: { MaxParallel: 0 } }))).Update?.MaxParallel).toBe(0);
  });

  it("count: the scaling minimum where one is given", () => {
    const job = canonical(minimal({}, { Scaling: { Min: 3, Max: 9 } }));
    expect(groupOf(job)).toMatchObject({
      Count: 3,
      Scaling: { Type: "horizontal", Enabled: true, Target: { Namespace: "default", Job: "a", Group: "g" } },
    });
  });

  it("cores: no CPU default beside them", () => {
    const job = canonical(minimal({}, { Tasks: [{ ...task, Resources: { Cores: 2 } }] }));
    expect(taskOf(job).Resources).toMatchObject({ CPU: 0, Cores: 2 });
    expect(validateJob(job, limits)).toEqual([]);
  });

  it("services: names made up and expanded, checks filled from their service", () => {
    const job = canonical(
      minimal(
        {},
        {
          Services: [{ PortLabel: "http" }],
          Tasks: [
            {
              ...task,
              Services: [
                {
                  Name: "${JOB}-${TASKGROUP}-${TASK}-${BASE}-${attr.x}",
                  CheckRestart: { Limit: 3 },
                  OnUpdate: "ignore",
                },
                {
                  Provider: "nomad",
                  CheckRestart: { Limit: 3 },
                  Checks: [{ Type: "tcp" }, { CheckRestart: { Grace: 5 } }],
                },
              ],
            },
          ],
        },
      ),
    );
    expect(groupOf(job).Services[0]).toMatchObject({
      Name: "a-g",
      AddressMode: "auto",
      Provider: "consul",
      Cluster: "default",
      OnUpdate: "require_healthy",
    });
    const [named, checked] = taskOf(job).Services;
    expect(named).toMatchObject({ Name: "a-g-t-a-g-t-${attr.x}", TaskName: "t", CheckRestart: undefined });
    expect(checked).toMatchObject({ Name: "a-g-t", Namespace: "default", TaskName: "t" });
    expect(checked?.Checks).toMatchObject([
      { Name: 'service: "a-g-t" check', CheckRestart: { Limit: 3, Grace: SECOND }, OnUpdate: "require_healthy" },
      { CheckRestart: { Limit: 3, Grace: 5 } },
    ]);
  });

  it("templates, artifacts, vault, volumes, plugins: their defaults", () => {
    const job = canonical(
      minimal(
        {},
        {
          Networks: [{ DynamicPorts: [{ Label: "http" }] }],
          Tasks: [
            {
              ...task,
              Config: {},
              Lifecycle: { Hook: "", Sidecar: false },
              Templates: [
                { EmbeddedTmpl: "x", DestPath: "y" },
                { ChangeMode: "signal" },
                { ChangeMode: "signal", ChangeSignal: "sigusr1" },
              ],
              Artifacts: [
                { GetterSource: "https://example.com/a/b.zip" },
                { GetterSource: "https://example.com/a/b.zip", GetterMode: "file" },
              ],
              Vault: {},
              VolumeMounts: [{ Volume: "v" }],
              CSIPluginConfig: { ID: "p" },
              Affinities: [{ LTarget: "x" }],
              Resources: { CPU: 0, MemoryMB: 0, Devices: [{ Name: "gpu" }] },
            },
          ],
        },
      ),
    );
    expect(taskOf(job)).toMatchObject({
      Config: undefined,
      Lifecycle: undefined,
      Templates: [
        {
          ChangeMode: "restart",
          ChangeSignal: "",
          Splay: 5 * SECOND,
          Perms: "0644",
          LeftDelim: "{{",
          RightDelim: "}}",
        },
        { ChangeSignal: "SIGHUP" },
        { ChangeSignal: "SIGUSR1" },
      ],
      Artifacts: [{ GetterMode: "any", RelativeDest: "local/" }, { RelativeDest: "local/b.zip" }],
      Vault: { Env: true, ChangeMode: "restart", Cluster: "default" },
      VolumeMounts: [{ PropagationMode: "private" }],
      CSIPluginConfig: { MountDir: "/csi", HealthTimeout: 30 * SECOND },
      Affinities: [{ Weight: 50 }],
      Resources: { CPU: 100, MemoryMB: 300, Devices: [{ Count: 1 }] },
    });
    expect(groupOf(job).Networks[0]?.DynamicPorts[0]?.HostNetwork).toBe("default");
  });

  it("older disconnect fields: mean the block, and stay to be read", () => {
    const group = groupOf(canonical(minimal({}, { MaxClientDisconnect: 60e9, PreventRescheduleOnLost: true })));
    expect(group).toMatchObject({
      MaxClientDisconnect: 60e9,
      Disconnect: { LostAfter: 60e9, Replace: false, Reconcile: "best_score" },
    });
  });

  it("periodic, parameterized, multiregion: their defaults", () => {
    expect(canonical({ Periodic: {} }).Periodic).toMatchObject({ Enabled: true, SpecType: "cron", TimeZone: "UTC" });
    expect(canonical({ ParameterizedJob: {} }).ParameterizedJob?.Payload).toBe("optional");
    const job = canonical({ Multiregion: { Regions: [{ Name: "eu" }] } });
    expect(job).toMatchObject({
      Datacenters: [],
      Multiregion: { Strategy: { MaxParallel: 0 }, Regions: [{ Count: 1 }] },
    });
  });

  it.each([
    ["the example of the API's page", SEED_JOB],
    ["a job with task networks", TASK_NETWORK_JOB],
    ["a periodic job", PERIODIC_JOB],
  ])("a job of the 0.5 era, %s: valid", (_, given) => {
    expect(validateJob(canonical(given), limits)).toEqual([]);
  });

  it("a job of the 0.5 era: the older fields are shown again", () => {
    const shown = JSON.parse(toJson("Job", canonical(TASK_NETWORK_JOB)));
    const { Resources } = shown.TaskGroups[0].Tasks[0];
    expect(Resources).toMatchObject({ IOPS: 5, DiskMB: 0, Networks: [{ MBits: 10 }] });
    expect(JSON.parse(toJson("Job", canonical(SEED_JOB)))).toMatchObject({
      Region: "global",
      Datacenters: ["us2", "eu1"],
      TaskGroups: [{ Count: 5, Tasks: [{ Resources: { CPU: 500, MemoryMB: 300 } }, {}] }],
      Update: { Stagger: 30 * SECOND, MaxParallel: 1 },
    });
  });

  it.each([mockJob(), mockBatchJob(), mockSystemJob()])("fixture $ID: canonical and valid", (job) => {
    const before = toJson("Job", job);
    canonicalizeJob(job, { region: "elsewhere" });
    expect(toJson("Job", job)).toBe(before);
    expect(validateJob(job, limits)).toEqual([]);
  });

  // Catches a default that a later pass takes for a choice, or fills from something the first pass changed.
  it("any job, canonicalized again, or sent back as a GET showed it, does not change", () => {
    const type = fc.constantFrom("", "service", "batch", "system", "sysbatch");
    fc.assert(
      fc.property(jsonOf("Job", 5), type, (given, Type) => {
        const once = canonical({ ...(given as object), Type });
        const text = toJson("Job", once);
        canonicalizeJob(once, { region: "elsewhere", priority: 7, nodePool: "other" });
        expect(toJson("Job", once)).toBe(text);
        expect(toJson("Job", canonical(JSON.parse(text)))).toBe(text);
        validateJob(once, limits);
      }),
      { numRuns: 150 },
    );
  });

  it("a canonical job through bytes: the same", () => {
    const job = canonical(SEED_JOB);
    expect(toJson("Job", Job.decode(Job.encode(job).finish()))).toBe(toJson("Job", job));
  });
});
