import { mockJob } from "@steppe/model/internal";
import { expect, test } from "vitest";
import { olderResources } from "./older-resources.ts";
import { allocatedResources } from "./resources.ts";

test("resources in the older form, of a group with two tasks: each task's, what they share, and the sum", () => {
  const [group] = mockJob().TaskGroups;
  const [task] = group?.Tasks ?? [];
  if (group === undefined || task === undefined) throw new Error("the mock job has a group and a task");
  const resources = { ...task.Resources, CPU: 100, MemoryMB: 50 };
  const tasks = ["a", "b"].map((Name) => ({ ...task, Name, Resources: { ...resources, Networks: [], Devices: [] } }));
  const allocated = allocatedResources({ ...group, Tasks: tasks as typeof group.Tasks });
  const { Resources, TaskResources, SharedResources } = olderResources(allocated);
  expect(Object.keys(TaskResources)).toEqual(["a", "b"]);
  expect(TaskResources.a).toMatchObject({ CPU: 100, MemoryMB: 50, DiskMB: 0, IOPS: 0 });
  const disk = group.EphemeralDisk?.SizeMB ?? 0;
  expect(SharedResources).toMatchObject({ CPU: 0, MemoryMB: 0, DiskMB: disk });
  expect(Resources).toMatchObject({ CPU: 200, MemoryMB: 100, DiskMB: disk });
});
