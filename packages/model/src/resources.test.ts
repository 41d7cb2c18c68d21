import { TaskGroup } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { allocatedResources, groupResources } from "./resources.ts";

const task = (Name: string, CPU: number, MemoryMB: number, Hook = "", Sidecar = false): object => ({
  Name,
  Resources: { CPU, MemoryMB },
  ...(Hook === "" ? {} : { Lifecycle: { Hook, Sidecar } }),
});

describe("resources", () => {
  it("tasks of all phases: the largest phase, sidecars beside the main tasks", () => {
    const group = TaskGroup.create({
      EphemeralDisk: { SizeMB: 300 },
      Tasks: [
        task("init", 900, 100, "prestart"),
        task("proxy", 200, 50, "prestart", true),
        task("main", 300, 256),
        task("warm", 100, 64, "poststart"),
        task("clean", 50, 500, "poststop"),
      ],
    });
    expect(groupResources(group)).toEqual({ cpu: 1100, cores: 0, memoryMb: 500, memoryMaxMb: 500, diskMb: 300 });
  });

  it("oversubscription and cores: kept apart", () => {
    const group = TaskGroup.create({
      Tasks: [
        { Resources: { CPU: 0, Cores: 2, MemoryMB: 100, MemoryMaxMB: 400 } },
        { Resources: { CPU: 5, MemoryMB: 50 } },
      ],
    });
    expect(groupResources(group)).toEqual({ cpu: 5, cores: 2, memoryMb: 150, memoryMaxMb: 450, diskMb: 0 });
    const unlimited = TaskGroup.create({ Tasks: [{ Resources: { MemoryMB: 1, MemoryMaxMB: -1 } }] });
    expect(groupResources(unlimited).memoryMaxMb).toBe(Number.POSITIVE_INFINITY);
  });

  it("allocatedResources: an entry for every task", () => {
    const group = TaskGroup.create({
      EphemeralDisk: { SizeMB: 150 },
      Tasks: [task("a", 1, 2), task("b", 3, 4, "prestart", true)],
    });
    expect(allocatedResources(group)).toMatchObject({
      Tasks: { a: { Cpu: { CpuShares: 1 }, Memory: { MemoryMB: 2 } }, b: { Cpu: { CpuShares: 3 } } },
      TaskLifecycles: { a: { Hook: "" }, b: { Hook: "prestart", Sidecar: true } },
      Shared: { DiskMB: 150 },
    });
  });
});
