// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
import { type DeepPartial, Job } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { canonicalizeJob } from "../canonicalize/index.ts";
import { mockBatchJob, mockJob, mockSystemJob } from "../fixtures.ts";
import { multiError } from "../multi-error.ts";
import { HOUR, MINUTE, SECOND } from "../time.ts";
import { DEFAULT_LIMITS, jobWarnings, type ValidationLimits, validateJob } from "./index.ts";

type Group = Job["TaskGroups"][number];
type Task = Group["Tasks"][number];

const limits: ValidationLimits = {
  ...DEFAULT_LIMITS,
  cronError: (spec) => (spec === "bad" ? "missing field(s)" : undefined),
};

/** The reasons against a canonical job of which `change` made something else. */
function reasons(change: (job: Job, group: Group, task: Task) => void, base = mockJob()): string[] {
  const group = base.TaskGroups[0] as Group;
  change(base, group, group.Tasks[0] as Task);
  return validateJob(base, limits);
}

/** What a reason of a group, or of its task, is wrapped in. */
const inGroup = (...texts: string[]): string => `Task group web validation failed: ${multiError(texts)}`;
const inTask = (...texts: string[]): string => inGroup(`Task web validation failed: ${multiError(texts)}`);

describe("multiError", () => {
  it("one reason, several, and nested ones: as the API prints them", () => {
    expect(multiError(["a"])).toBe("1 error occurred:\n\t* a\n\n");
    expect(multiError(["a", "b"])).toBe("2 errors occurred:\n\t* a\n\t* b\n\n");
    expect(multiError([`x failed: ${multiError(["a"])}`])).toBe(
      "1 error occurred:\n\t* x failed: 1 error occurred:\n\t* a\n\n\n\n",
    );
  });
});

describe("validateJob", () => {
  it("an empty job: everything that is missing", () => {
    expect(validateJob(Job.create(), limits)).toEqual([
      "Missing job region",
      "Missing job ID",
      "Missing job name",
      "Job must be in a namespace",
      "Missing job type",
      "Missing job datacenters",
      "Missing job task groups",
      "job priority must be between [1, 100]",
    ]);
  });

  it.each<[string, (job: Job, group: Group, task: Task) => void, string[]]>([
    ["ID with a space", (job) => (job.ID = "a b"), ["Job ID contains a space"]],
    ["ID with a null", (job) => (job.ID = "a\0b"), ["Job ID contains a null character"]],
    ["name with a null", (job) => (job.Name = "\0"), ["Job Name contains a null character"]],
    ["priority", (job) => (job.Priority = 101), ["job priority must be between [1, 100]"]],
    ["empty datacenter", (job) => (job.Datacenters = ["dc1", ""]), ["Job datacenter must be non-empty string"]],
    [
      "core",
      (job, group) => {
        job.Type = "_core";
        group.Update = group.Migrate = undefined;
      },
      ["job type cannot be core"],
    ],
    ["payload", (job) => (job.Payload = new Uint8Array(1)), ["job can't be submitted with a payload, only dispatched"]],
    [
      "count limit",
      (_, group) => (group.Count = 50_001),
      ["total count was greater than configured job_max_count: 50001 > 50000"],
    ],
    [
      "two groups of one name",
      (job, group) => job.TaskGroups.push(group),
      ["Job task group 2 redefines 'web' from group 1"],
    ],
    ["shutdown delay", (_, group) => (group.ShutdownDelay = -1), ["ShutdownDelay must be a positive value"]],
    [
      "periodic service",
      (job) =>
        (job.Periodic = {
          Enabled: true,
          Spec: "x",
          Specs: [],
          SpecType: "cron",
          ProhibitOverlap: false,
          TimeZone: "UTC",
        }),
      ['Periodic can only be used with "batch" or "sysbatch" scheduler'],
    ],
    [
      "parameterized service",
      (job) => (job.ParameterizedJob = { Payload: "optional", MetaRequired: [], MetaOptional: [] }),
      ['Parameterized job can only be used with "batch" or "sysbatch" scheduler'],
    ],
    [
      "long description",
      (job) => (job.UI = { Description: "x".repeat(1001), Links: [] }),
      ["UI description must be under 1000 characters, currently 1001"],
    ],
    [
      "on_failure",
      (job) => (job.Multiregion = { Strategy: { MaxParallel: 0, OnFailure: "x" }, Regions: [] }),
      ['Invalid multiregion on_failure "x", must be "fail_all", "fail_local" or empty'],
    ],

    [
      "group name",
      (_, group) => (group.Name = "a\0"),
      [`Task group a\0 validation failed: ${multiError(["Task group name contains null character"])}`],
    ],
    ["negative count", (_, group) => (group.Count = -1), [inGroup("Task group count can't be negative")]],
    ["no tasks", (_, group) => (group.Tasks = []), [inGroup("Missing tasks for task group")]],
    [
      "no restart policy",
      (_, group) => (group.RestartPolicy = undefined),
      [inGroup("Task Group web should have a restart policy")],
    ],
    [
      "no reschedule policy",
      (_, group) => (group.ReschedulePolicy = undefined),
      [inGroup("Task Group web should have a reschedule policy")],
    ],
    [
      "no disk",
      (_, group) => (group.EphemeralDisk = undefined),
      [inGroup("Task Group web should have an ephemeral disk object")],
    ],
    [
      "run duration",
      (_, group) => (group.MaxRunDuration = 0),
      [inGroup("MaxRunDuration must be greater than zero", 'Job type "service" does not allow max_run_duration')],
    ],
    [
      "two leaders",
      (_, group, task) => {
        task.Leader = true;
        group.Tasks.push({ ...task, Name: "other" });
      },
      [inGroup("Only one task may be marked as leader")],
    ],
    [
      "two tasks of one name",
      (_, group, task) => group.Tasks.push(task),
      [inGroup("Task 2 redefines 'web' from task 1")],
    ],
    [
      "restart",
      (_, group) => (group.RestartPolicy = { Attempts: 0, Interval: 1e9, Delay: 0, Mode: "delay" }),
      [
        inGroup(
          multiError([
            'Restart policy "delay" with 0 attempts is ambiguous',
            "Interval can not be less than 5s (got 1s)",
          ]),
        ),
      ],
    ],
    [
      "restart mode and pace",
      (_, group) => (group.RestartPolicy = { Attempts: 5, Interval: 10e9, Delay: 15e9, Mode: "x" }),
      [
        inGroup(
          multiError([
            'Unsupported restart mode: "x"',
            "Nomad can't restart the TaskGroup 5 times in an interval of 10s with a delay of 15s",
          ]),
        ),
      ],
    ],
    [
      "update",
      (_, group) =>
        (group.Update = {
          Stagger: 0,
          MaxParallel: -1,
          HealthCheck: "x",
          MinHealthyTime: -1,
          HealthyDeadline: 0,
          ProgressDeadline: -1,
          Canary: 0,
          AutoPromote: true,
        }),
      [
        inGroup(
          multiError([
            'Invalid health check given: "x"',
            "Max parallel can not be less than zero: -1 < 0",
            "Auto Promote requires a Canary count greater than zero",
            "Minimum healthy time may not be less than zero: -1ns",
            "Healthy deadline must be greater than zero: 0s",
            "Progress deadline must be zero or greater: -1ns",
            "Healthy deadline must be less than progress deadline: 0s > -1ns",
            "Stagger must be greater than zero: 0s",
          ]),
        ),
      ],
    ],
    [
      "update times",
      (_, group) =>
        (group.Update = {
          Stagger: 1,
          MaxParallel: 1,
          HealthCheck: "checks",
          MinHealthyTime: 60e9,
          HealthyDeadline: 60e9,
          ProgressDeadline: 30e9,
          Canary: -1,
        }),
      [
        inGroup(
          multiError([
            "Canary count can not be less than zero: -1 < 0",
            "Minimum healthy time must be less than healthy deadline: 1m0s > 1m0s",
            "Healthy deadline must be less than progress deadline: 1m0s > 30s",
          ]),
        ),
      ],
    ],
    [
      "migrate",
      (_, group) => (group.Migrate = { MaxParallel: -1, HealthCheck: "x", MinHealthyTime: -1, HealthyDeadline: -2 }),
      [
        inGroup(
          multiError([
            "MaxParallel must be >= 0 but found -1",
            'Invalid HealthCheck: "x"',
            "MinHealthyTime is -1ns and must be >= 0",
            "HealthyDeadline is -2ns and must be >= 0",
            "MinHealthyTime must be less than HealthyDeadline",
          ]),
        ),
      ],
    ],
    [
      "disconnect",
      (_, group) => (group.Disconnect = { LostAfter: -1, StopOnClientAfter: -1, Reconcile: "x" }),
      [
        inGroup(
          multiError([
            "stop_after cannot be a negative duration",
            "Disconnect cannot be configured with both lost_after and stop_after",
            "lost_after cannot be a negative duration",
            "reconcile option is invalid",
          ]),
        ),
      ],
    ],
    [
      "scaling",
      (_, group) =>
        (group.Scaling = {
          ID: "",
          Namespace: "",
          Type: "",
          Target: {},
          Min: 11,
          Max: 9,
          Policy: undefined,
          CreateIndex: 0,
          ModifyIndex: 0,
        }),
      [
        inGroup(
          `Task group scaling policy validation failed: ${multiError(["missing scaling policy type", "maximum count must not be less than minimum count", "task group count must not be greater than maximum count in scaling policy", "task group count must not be less than minimum count in scaling policy"].map((it) => `Scaling policy invalid: ${it}`))}`,
        ),
      ],
    ],

    [
      "task names",
      (_, __, task) => (task.Name = "a/b"),
      [inGroup(`Task a/b validation failed: ${multiError(["Task name cannot include slashes"])}`)],
    ],
    [
      "task called alloc",
      (_, __, task) => (task.Name = "alloc"),
      [inGroup(`Task alloc validation failed: ${multiError(['Task cannot be named "alloc"'])}`)],
    ],
    ["no driver", (_, __, task) => (task.Driver = ""), [inTask("Missing task driver")]],
    ["kill timeout", (_, __, task) => (task.KillTimeout = -1), [inTask("KillTimeout must be a positive value")]],
    [
      "kill timeout beyond the deadline",
      (_, __, task) => (task.KillTimeout = 35 * MINUTE),
      [inTask("KillTimout (35m0s) longer than the group's ProgressDeadline (10m0s)")],
    ],
    [
      "resources",
      (_, __, task) =>
        (task.Resources = {
          ...task.Resources,
          CPU: 0,
          MemoryMB: 1,
          MemoryMaxMB: 0,
          DiskMB: 7,
          IOPS: 7,
          Networks: [],
          Devices: [],
          NUMA: undefined,
        }),
      [inTask(multiError(["minimum CPU value is 1; got 0", "minimum MemoryMB value is 10; got 1"]))],
    ],
    [
      "cpu and cores",
      (_, __, task) => Object.assign(task.Resources as object, { Cores: 1, MemoryMaxMB: 10 }),
      [
        inTask(
          multiError([
            "Task can only ask for 'cpu' or 'cores' resource, not both.",
            "MemoryMaxMB value (10) should be larger than MemoryMB value (256)",
          ]),
        ),
      ],
    ],
    [
      "logs",
      (_, __, task) => (task.LogConfig = { MaxFiles: 0, MaxFileSizeMB: 0 }),
      [inTask(multiError(["minimum number of files is 1; got 0", "minimum file size is 1MB; got 0"]))],
    ],
    [
      "log storage",
      (_, __, task) => (task.LogConfig = { MaxFiles: 10, MaxFileSizeMB: 20 }),
      [inTask("log storage (200 MB) must be less than requested disk capacity (150 MB)")],
    ],
    [
      "lifecycle",
      (_, __, task) => (task.Lifecycle = { Hook: "x", Sidecar: false }),
      [inTask("Lifecycle validation failed: invalid hook: x")],
    ],
    [
      "dispatch payload",
      (_, __, task) => (task.DispatchPayload = { File: "../../../x" }),
      [inTask("Dispatch Payload validation failed: destination escapes allocation directory")],
    ],
    [
      "volume mounts",
      (_, __, task) =>
        (task.VolumeMounts = [
          { Volume: "", Destination: "", ReadOnly: false, SELinuxLabel: "" },
          { Volume: "v", Destination: "", ReadOnly: false, PropagationMode: "x", SELinuxLabel: "" },
        ]),
      [
        inTask(
          "Volume Mount (0) references an empty volume",
          "Volume Mount (1) references undefined volume v",
          'Volume Mount (1) has an invalid propagation mode: "x"',
        ),
      ],
    ],
    [
      "distinct hosts of a task",
      (_, __, task) => (task.Constraints = [{ LTarget: "", RTarget: "", Operand: "distinct_hosts" }]),
      [inTask("Constraint 1 has disallowed Operand at task level: distinct_hosts")],
    ],
  ])("%s: refused in the API's words", (_, change, expected) => {
    expect(reasons(change)).toEqual(expected);
  });

  it.each<[string, DeepPartial<Task>, string]>([
    [
      "artifact without source",
      { Artifacts: [{}] },
      `Artifact 1 validation failed: ${multiError(["source must be specified"])}`,
    ],
    [
      "artifact outside",
      { Artifacts: [{ GetterSource: "x", RelativeDest: "../../x" }] },
      `Artifact 1 validation failed: ${multiError(["destination escapes allocation directory"])}`,
    ],
    [
      "checksum kind",
      { Artifacts: [{ GetterSource: "x", GetterOptions: { checksum: "crc:00" } }] },
      `Artifact 1 validation failed: ${multiError(["unsupported checksum type: crc"])}`,
    ],
    [
      "checksum length",
      { Artifacts: [{ GetterSource: "x", GetterOptions: { checksum: "md5:00" } }] },
      `Artifact 1 validation failed: ${multiError(["invalid md5 checksum: 00"])}`,
    ],
    [
      "template",
      { Templates: [{ ChangeMode: "x", Perms: "9", Splay: -1 }] },
      `Template 1 validation failed: ${multiError(["Must specify a source path or have an embedded template", "Must specify a destination for the template", "Invalid change mode. Must be one of the following: noop, signal, script, restart", "Must specify positive splay value", 'Failed to parse "9" as octal: strconv.ParseUint: parsing "9": invalid syntax'])}`,
    ],
    [
      "vault",
      { Vault: { Policies: ["root"], ChangeMode: "x" } },
      `Vault validation failed: ${multiError(['Can not specify "root" policy', 'Unknown change mode "x"'])}`,
    ],
    [
      "service port",
      { Services: [{ Name: "a", PortLabel: "http" }] },
      multiError(['port label "http" referenced by services a does not exist']),
    ],
    [
      "service name",
      { Services: [{ Name: "a_b" }] },
      multiError([
        `service[0] "a_b" validation failed: ${multiError(["Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters"])}`,
      ]),
    ],
    [
      "check interval",
      { Services: [{ Name: "a", Checks: [{ Name: "c", Type: "script", Command: "x", Timeout: SECOND }] }] },
      multiError([
        `service[0] "a" validation failed: ${multiError(["Check c invalid: missing required value interval. Interval cannot be less than 1s"])}`,
      ]),
    ],
    [
      "check port",
      { Services: [{ Name: "a", Checks: [{ Name: "c", Type: "tcp" }] }] },
      multiError([
        `service[0] "a" validation failed: ${multiError(['Check c invalid: check requires a port but neither check nor service "a" have a port'])}`,
        'check "c" is missing a port',
      ]),
    ],
  ])("%s: the task is refused in the API's words", (_, fields, expected) => {
    const job = mockJob({
      TaskGroups: [{ Name: "web", Count: 1, Tasks: [{ Name: "web", Driver: "exec", ...fields }] }],
    });
    expect(validateJob(job, limits)).toEqual([inTask(expected)]);
  });

  it.each<[object, string[]]>([
    [
      { Operand: "" },
      ["Missing constraint operand", 'Unknown constraint type ""', "no attribute provided but is required by operator"],
    ],
    [{ LTarget: "${attr.a}", Operand: "near" }, ['Unknown constraint type "near"']],
    [{ LTarget: "${attr.a}", Operand: "=" }, ['Operator "=" requires an RTarget']],
    [{ LTarget: "${attr.a}", Operand: "is_set", RTarget: "x" }, ['Operator "is_set" does not support an RTarget']],
    [{ LTarget: "${attr.a}", Operand: "set_contains" }, ["Set contains constraint requires an RTarget"]],
    [
      { LTarget: "${attr.a}", Operand: "regexp", RTarget: "[" },
      ["Regular expression failed to compile: error parsing regexp: missing closing ]: `[`"],
    ],
    [
      { LTarget: "${attr.a}", Operand: "version", RTarget: "x" },
      ["Version constraint is invalid: Malformed constraint: x"],
    ],
    [
      { LTarget: "${attr.a}", Operand: "semver", RTarget: "~> 1" },
      ["Semver constraint is invalid: Malformed constraint: ~> 1"],
    ],
    [
      { LTarget: "${meta.rack}", Operand: "distinct_property", RTarget: "0" },
      ["Distinct Property must have an allowed count of 1 or greater: 0 < 1"],
    ],
    [
      { LTarget: "${meta.rack}", Operand: "distinct_property", RTarget: "x" },
      ['Failed to convert RTarget "x" to uint64: strconv.ParseUint: parsing "x": invalid syntax'],
    ],
    [{ LTarget: "${node.rack}", Operand: "=", RTarget: "x" }, ['unsupported attribute "${node.rack}"']],
  ])("constraint %j: refused", (constraint, expected) => {
    const job = mockJob({ Constraints: [constraint] });
    expect(validateJob(job, limits)).toEqual([`Constraint 1 validation failed: ${multiError(expected)}`]);
  });

  it("affinities and spreads: refused, and not allowed at all in system jobs", () => {
    const parts = {
      Affinities: [{ Operand: "distinct_hosts", Weight: 101 }],
      Spreads: [{ Weight: 0, SpreadTarget: [{ Value: "a", Percent: 101 }, { Value: "a" }] }],
    };
    expect(validateJob(mockJob(parts), limits)).toEqual([
      `Affinity 1 validation failed: ${multiError(['Unknown affinity operator "distinct_hosts"', "No LTarget provided but is required", "Affinity weight must be within the range [-100,100]"])}`,
      `Spread 1 validation failed: ${multiError(["Missing spread attribute", "Spread block must have a positive weight from 0 to 100", 'Spread target percentage for value "a" must be between 0 and 100', 'Spread target value "a" already defined', "Sum of spread target percentages must not be greater than 100%; got 101%"])}`,
    ]);
    expect(validateJob(mockSystemJob(parts), limits)).toEqual([
      "System jobs may not have an affinity block",
      "System jobs may not have a spread block",
    ]);
  });

  it("system and batch jobs: what their type does not allow", () => {
    expect(reasons((_, group) => (group.Count = 2), mockSystemJob())).toEqual([
      "Job task group web has count 2. Count cannot exceed 1 with system scheduler",
    ]);
    expect(reasons((_, group) => (group.ReschedulePolicy = {}), mockSystemJob())).toEqual([
      inGroup("System or sysbatch jobs should not have a reschedule policy"),
    ]);
    const job = mockBatchJob({ Update: { MaxParallel: 1 }, Migrate: { MaxParallel: 1 } });
    expect(validateJob(job, limits)).toEqual([
      `Task group work validation failed: ${multiError(['Job type "batch" does not allow update block', 'Job type "batch" does not allow migrate block'])}`,
    ]);
  });

  it.each<[object, string[]]>([
    [{}, ["Must specify a spec"]],
    [{ Spec: "a", Specs: ["b"] }, ["Only cron or crons may be used"]],
    [{ Spec: "bad" }, ['Invalid cron spec "bad": missing field(s)']],
    [{ Spec: "a", TimeZone: "Mars/Olympus" }, ['Invalid time zone "Mars/Olympus": unknown time zone Mars/Olympus']],
    [{ Spec: "a", SpecType: "sundial" }, ['Unknown periodic specification type "sundial"']],
  ])("periodic %j: refused", (Periodic, expected) => {
    expect(validateJob(mockBatchJob({ Periodic }), limits)).toEqual([multiError(expected)]);
    expect(validateJob(mockBatchJob({ Periodic: { ...Periodic, Enabled: false } }), limits)).toEqual([]);
  });

  it("parameterized: refused", () => {
    const job = mockBatchJob({ ParameterizedJob: { Payload: "x", MetaRequired: ["a", "b"], MetaOptional: ["b"] } });
    expect(validateJob(job, limits)).toEqual([
      multiError([
        'Unknown payload requirement: "x"',
        "Required and optional meta keys should be disjoint. Following keys exist in both: [b]",
      ]),
    ]);
  });

  it.each<[object, string[]]>([
    [
      { Attempts: 1, Interval: 0, Delay: 1e9, DelayFunction: "x", MaxDelay: 0, Unlimited: true },
      [
        "Interval must be a non zero value if Attempts > 0",
        "Reschedule Policy with Attempts = 1, Interval = 0s, and Unlimited = true is ambiguous",
        "If Attempts >0, Unlimited cannot also be set to true",
        "Delay cannot be less than 5s (got 1s)",
        'Invalid delay function "x", must be one of ["constant" "exponential" "fibonacci"]',
        "Max Delay cannot be less than 5s (got 1s)",
        "Max Delay cannot be less than Delay 1s (got 0s)",
      ],
    ],
    [
      { Attempts: 1, Interval: 1e9, Delay: 1e9, DelayFunction: "constant" },
      ["Delay cannot be less than 5s (got 1s)", "Interval cannot be less than 15s (got 1s)"],
    ],
    [
      { Attempts: 10, Interval: 60e9, Delay: 10e9, DelayFunction: "constant" },
      [
        'Nomad can only make 6 attempts in 1m0s with initial delay 10s and delay function "constant"',
        "Set the interval to at least 1m40s to accommodate 10 attempts",
      ],
    ],
    [
      { Attempts: 10, Interval: HOUR, Delay: 5 * MINUTE, DelayFunction: "exponential", MaxDelay: 30 * MINUTE },
      [
        'Nomad can only make 4 attempts in 1h0m0s with initial delay 5m0s, delay function "exponential", and delay ceiling 30m0s',
        "Set the interval to at least 3h50m0s to accommodate 10 attempts",
      ],
    ],
    [
      { Attempts: 10, Interval: 30 * MINUTE, Delay: 3 * MINUTE, DelayFunction: "fibonacci", MaxDelay: 20 * MINUTE },
      [
        'Nomad can only make 6 attempts in 30m0s with initial delay 3m0s, delay function "fibonacci", and delay ceiling 20m0s',
        "Set the interval to at least 1h40m0s to accommodate 10 attempts",
      ],
    ],
  ])("reschedule %j: refused", (policy, expected) => {
    const errors = reasons((_, group) => (group.ReschedulePolicy = { Unlimited: false, MaxDelay: 0, ...policy }));
    expect(errors).toEqual([inGroup(multiError(expected))]);
  });

  it("reschedule with billions of attempts: refused at once", () => {
    for (const DelayFunction of ["exponential", "fibonacci"]) {
      const policy = {
        Attempts: 2 ** 31 - 1,
        Interval: HOUR,
        Delay: 5e9,
        DelayFunction,
        MaxDelay: 5e9,
        Unlimited: false,
      };
      expect(reasons((_, group) => (group.ReschedulePolicy = policy))[0]).toMatch(/attempts in 1h0m0s/);
    }
  });

  it("networks and group services: refused", () => {
    const port = { Label: "http", Value: 80 };
    const job = mockJob({
      TaskGroups: [
        {
          Name: "web",
          Count: 1,
          Networks: [
            {
              Hostname: "a..b",
              ReservedPorts: [port, { Label: "other", Value: 80 }, { Label: "high", Value: 65536, To: -2 }],
              DynamicPorts: [{ Label: "http" }],
            },
          ],
          Services: [
            {
              Name: "a",
              PortLabel: "http",
              Checks: [{ Name: "c", Type: "script", Command: "x", Interval: SECOND, Timeout: SECOND }],
            },
            { Name: "a", PortLabel: "http", Provider: "nomad", AddressMode: "driver" },
          ],
          Tasks: [{ Name: "web", Driver: "exec" }],
        },
      ],
    });
    expect(validateJob(job, limits)).toEqual([
      inGroup(
        `Task group network validation failed: ${multiError(["Static port 80 already reserved by taskgroup network:http", "Port high (65536) cannot be greater than 65535", 'Port "high" cannot be mapped to negative value -2', "Port label http already in use by taskgroup network", "Hostname is not a valid DNS name"])}`,
        `Task group service validation failed: ${multiError(['service "a" cannot use address_mode="driver", only services defined in a "task" block can use this mode', "Services are not unique: a-http", "Multiple service providers used: task group services must use the same provider"])}`,
        `Task group service check validation failed: ${multiError(["Service [web]->a or Check c must specify task parameter"])}`,
      ),
    ]);
  });

  it("volumes: refused", () => {
    const volumes = (Volumes: object): string[] => reasons((_, group) => Object.assign(group, { Volumes }));
    const volume = {
      Name: "v",
      Source: "s",
      ReadOnly: false,
      Sticky: false,
      AccessMode: "",
      AttachmentMode: "",
      PerAlloc: false,
    };
    const failed = (...texts: string[]): string[] => [
      inGroup(`Task group volume validation for v failed: ${multiError(texts)}`),
    ];
    expect(volumes({ v: { ...volume, Type: "csi" } })).toEqual(
      failed("CSI volumes must have an attachment mode", "CSI volumes must have an access mode"),
    );
    expect(
      volumes({ v: { ...volume, Type: "csi", AttachmentMode: "file-system", AccessMode: "single-node-reader-only" } }),
    ).toEqual(
      failed(
        "single-node-reader-only volumes must be read-only",
        "volume with single-node-reader-only access mode allows only one reader",
      ),
    );
    expect(volumes({ v: { ...volume, Type: "x" } })).toEqual([
      inGroup("Task group volume validation for v failed: volume has unrecognized type x"),
    ]);
  });
});

describe("jobWarnings", () => {
  it("a plain job: none", () => {
    expect(jobWarnings(mockJob())).toEqual([]);
  });

  it("dubious and older settings: named", () => {
    const job = Job.create({
      ID: "a",
      Type: "batch",
      Periodic: { Spec: "x" },
      TaskGroups: [
        {
          Name: "g",
          Count: 1,
          Tasks: [{ Name: "t", Resources: { IOPS: 1, Networks: [{}] } }],
          Networks: [{ MBits: 5 }],
          Update: { MaxParallel: 3, AutoPromote: true },
        },
        { Name: "h" },
      ],
    });
    canonicalizeJob(job, { region: "here" });
    const [group, promote, cron] = jobWarnings(job);
    expect(group).toMatch(
      /^Group "g" has warnings: 4 errors occurred:\n\t\* Update max parallel count is greater than task group count \(3 > 1\)\./,
    );
    expect(promote).toBe("auto_promote must be true for all groups to enable automatic promotion");
    expect(cron).toMatch(/^cron is deprecated/);
  });
});
