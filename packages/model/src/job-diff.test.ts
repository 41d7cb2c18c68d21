import { DesiredUpdates, FieldDiff, type Job } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { mockJob } from "./fixtures.ts";
import { annotateDiff, diffJobs } from "./job-diff.ts";
import { toJson } from "./json.ts";

type Group = Job["TaskGroups"][number];
type Task = Group["Tasks"][number];
type Change = (job: Job, group: Group, task: Task) => unknown;

function changed(change: Change): Job {
  const job = mockJob();
  const group = job.TaskGroups[0] as Group;
  change(job, group, group.Tasks[0] as Task);
  return job;
}

/** What is the same stands beside what changed, in objects. */
const SAME_COMMAND = { Type: "None", Name: "command", Old: "/bin/date", New: "/bin/date" };
const SAME_MEMORY = FieldDiff.create({ Type: "None", Name: "MemoryMB", Old: "256", New: "256" });
const MORE_CPU = FieldDiff.create({ Type: "Edited", Name: "CPU", Old: "500", New: "600" });
const MORE_FILES = FieldDiff.create({ Type: "Edited", Name: "MaxFiles", Old: "10", New: "3" });

const diffOf = (change: Change) => diffJobs(mockJob(), changed(change));
const taskOf = (change: Change) => diffOf(change).TaskGroups[0]?.Tasks[0];

describe("job diff", () => {
  it("the same job: nothing, but its groups and tasks are named", () => {
    const diff = diffOf(() => undefined);
    expect(diff).toMatchObject({ Type: "None", ID: "mock-service-0", Fields: [], Objects: [] });
    expect(diff.TaskGroups).toMatchObject([{ Type: "None", Name: "web", Tasks: [{ Type: "None", Annotations: [] }] }]);
  });

  it("what the servers keep beside the specification: does not count", () => {
    expect(diffOf((job) => Object.assign(job, { Version: 9, ModifyIndex: 9, Status: "dead" })).Type).toBe("None");
  });

  it("a new job: all of it added, and its tasks force creation", () => {
    const diff = diffJobs(undefined, mockJob());
    expect(diff).toMatchObject({ Type: "Added", ID: "mock-service-0" });
    expect(diff.Fields).toContainEqual({ Type: "Added", Name: "Priority", Old: "", New: "50", Annotations: [] });
    const [group] = diff.TaskGroups;
    expect(group).toMatchObject({ Type: "Added", Tasks: [{ Type: "Added", Annotations: ["forces create"] }] });
    expect(group?.Fields).toContainEqual({
      ...{ Type: "Added", Name: "Count", Old: "", New: "10" },
      Annotations: ["forces create"],
    });
  });

  it.each([
    [12, "forces create"],
    [3, "forces destroy"],
  ])("count 10 to %i: %s", (count, annotation) => {
    const [group] = diffOf((_, group) => (group.Count = count)).TaskGroups;
    expect(group).toMatchObject({ Type: "Edited" });
    expect(group?.Fields).toEqual([
      { Type: "Edited", Name: "Count", Old: "10", New: String(count), Annotations: [annotation] },
    ]);
  });

  it.each<[string, Change, object]>([
    ["a map", (job) => (job.Meta = { owner: "me" }), { Fields: [{ Type: "Edited", Name: "Meta[owner]", New: "me" }] }],
    [
      "a list of texts",
      (job) => (job.Datacenters = ["dc2"]),
      {
        Objects: [
          {
            Name: "Datacenters",
            Fields: [
              { Type: "Added", New: "dc2" },
              { Type: "Deleted", Old: "dc1" },
            ],
          },
        ],
      },
    ],
    [
      "a constraint",
      (job) => job.Constraints.push({ LTarget: "a", RTarget: "b", Operand: "=" }),
      { Objects: [{ Type: "Added", Name: "Constraint" }] },
    ],
  ])("%s of the job", (_, change, expected) => {
    expect(diffOf(change)).toMatchObject({ Type: "Edited", ...expected });
  });

  it.each<[string, Change, string, object]>([
    [
      "its environment",
      (_, __, task) => (task.Env = { FOO: "other" }),
      "forces create/destroy update",
      { Fields: [{ Type: "Edited", Name: "Env[FOO]", Old: "bar", New: "other" }] },
    ],
    [
      "its configuration",
      (_, __, task) => (task.Config = { command: "/bin/date", args: ["-u"] }),
      "forces create/destroy update",
      {
        Objects: [
          { Type: "Edited", Name: "Config", Fields: [{ Type: "Added", Name: "args[0]", New: "-u" }, SAME_COMMAND] },
        ],
      },
    ],
    [
      "its kill timeout",
      (_, __, task) => (task.KillTimeout = 9e9),
      "forces in-place update",
      { Fields: [{ Type: "Edited", Name: "KillTimeout", Old: "5000000000", New: "9000000000" }] },
    ],
    [
      "its log files",
      (_, __, task) => Object.assign(task.LogConfig ?? {}, { MaxFiles: 3 }),
      "forces in-place update",
      { Objects: [{ Type: "Edited", Name: "LogConfig", Fields: expect.arrayContaining([MORE_FILES]) }] },
    ],
    [
      "its resources",
      (_, __, task) => Object.assign(task.Resources ?? {}, { CPU: 600 }),
      "forces create/destroy update",
      { Objects: [{ Type: "Edited", Name: "Resources", Fields: expect.arrayContaining([MORE_CPU, SAME_MEMORY]) }] },
    ],
  ])("a task, %s: %s", (_, change, annotation, expected) => {
    expect(taskOf(change)).toMatchObject({ Type: "Edited", Annotations: [annotation], ...expected });
  });

  it("a group renamed: one deleted and one added", () => {
    const groups = diffOf((_, group) => (group.Name = "api")).TaskGroups;
    expect(groups.map(({ Type, Name, Tasks }) => [Type, Name, Tasks[0]?.Annotations])).toEqual([
      ["Added", "api", ["forces create"]],
      ["Deleted", "web", ["forces destroy"]],
    ]);
  });

  it("annotated: the counts under the API's names, zeros left out", () => {
    const diff = diffOf((_, group) => (group.Count = 12));
    annotateDiff(diff, { web: DesiredUpdates.create({ Place: 2, InPlaceUpdate: 10 }) });
    expect(diff.TaskGroups[0]?.Updates).toEqual({ create: 2, "in-place update": 10 });
    expect(() => JSON.parse(toJson("JobDiff", diff))).not.toThrow();
  });
});
