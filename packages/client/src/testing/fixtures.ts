// One place where tests make jobs, allocations and a silent logger.
import { deriveId, type Random, silentLogger } from "@steppe/model";
import { AssignedAllocation, Job, Task, TaskGroup } from "@steppe/proto";

export const silent = silentLogger;

/** Counts ids up; chance is always the same. */
export function seededRandom(fraction = 0, seed = 1): Random {
  const bytes = new Uint8Array(16).fill(seed);
  let n = 0;
  return {
    bytes: (length) => new Uint8Array(length).fill(seed),
    id: () => deriveId(bytes, n++),
    fraction: () => fraction,
  };
}

/** A group "web" of the given tasks; unnamed ones are called "main". */
export function jobOf(tasks: readonly Partial<Task>[], job: Partial<Job> = {}, group: Partial<TaskGroup> = {}): Job {
  return Job.create({
    ID: "example",
    Name: "example",
    Namespace: "default",
    Type: "service",
    TaskGroups: [
      TaskGroup.create({
        Name: "web",
        RestartPolicy: { Attempts: 0 },
        Tasks: tasks.map((task) => Task.create({ Name: "main", Driver: "mock_driver", ...task })),
        ...group,
      }),
    ],
    ...job,
  });
}

export function assignedTo(job: Job, n = 0, fields: Partial<AssignedAllocation> = {}): AssignedAllocation {
  return AssignedAllocation.create({
    ID: deriveId(new Uint8Array(16).fill(9), n),
    Namespace: job.Namespace,
    JobID: job.ID,
    JobVersion: job.Version,
    TaskGroup: "web",
    Name: `${job.ID}.web[${n}]`,
    NameIndex: n,
    DesiredStatus: "run",
    ClientStatus: "pending",
    AllocModifyIndex: 10,
    ...fields,
  });
}
