import type { RequestLine, Step } from "./row.ts";

interface JobParts {
  readonly type?: string;
  readonly count?: number;
  readonly job?: Readonly<Record<string, unknown>>;
  readonly group?: Readonly<Record<string, unknown>>;
}

/** A job of no allocations: registered, evaluated, and that is all. What most rows need, and quick. */
export function idleJob(parts: JobParts = {}) {
  return jobOf({ count: 0, ...parts }, { command: "/bin/true" });
}

/** A job whose task sleeps. It uses raw_exec, as agents without any runtime have that. */
export function sleeperJob(parts: JobParts = {}) {
  return jobOf(parts, { command: "/bin/sleep", args: ["600"] });
}

function jobOf({ type = "service", count = 1, job, group }: JobParts, config: object) {
  return {
    ID: "$id",
    Type: type,
    Datacenters: ["*"],
    TaskGroups: [
      {
        Name: "group",
        Count: count,
        EphemeralDisk: { SizeMB: 20 },
        Tasks: [
          {
            Name: "task",
            Driver: "raw_exec",
            Config: config,
            Resources: { CPU: 20, MemoryMB: 20 },
            LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
          },
        ],
        ...group,
      },
    ],
    ...job,
  };
}

/** Registers a job as `$id`; its evaluation is `$eval`, its modify index `$modify`. */
export function registered(job: object = idleJob()): Step {
  return { line: "PUT /v1/jobs", body: { Job: job }, save: { eval: "EvalID", modify: "JobModifyIndex" } };
}

/** Waits until the first allocation of `$id` runs; it is `$alloc`. */
export const RUNNING: Step = {
  line: "GET /v1/job/$id/allocations" satisfies RequestLine,
  until: [{ ClientStatus: "running" }],
  save: { alloc: "0.ID", node: "0.NodeID" },
};
