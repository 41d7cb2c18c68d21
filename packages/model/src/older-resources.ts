// What an allocation got, in the form that clients knew before AllocatedResources. Today's CLI still shows tasks by it.
import { type AllocatedResources, type AllocatedTaskResources, Resources } from "@steppe/proto";

export interface OlderResources {
  /** All of it. */
  readonly Resources: Resources;
  readonly TaskResources: { readonly [task: string]: Resources };
  readonly SharedResources: Resources;
}

const NONE = { CPU: 0, Cores: 0, MemoryMB: 0, MemoryMaxMB: 0, DiskMB: 0, IOPS: 0, SecretsMB: 0 } as const;
const SUMMED = ["CPU", "Cores", "MemoryMB", "MemoryMaxMB", "DiskMB"] as const;

export function olderResources({ Tasks, Shared }: AllocatedResources): OlderResources {
  const TaskResources = Object.fromEntries(Object.entries(Tasks).map(([name, task]) => [name, ofTask(task)]));
  const SharedResources = {
    ...Resources.create(NONE),
    DiskMB: Shared?.DiskMB ?? 0,
    Networks: Shared?.Networks ?? [],
  };
  const parts = [...Object.values(TaskResources), SharedResources];
  const sums = SUMMED.map((name) => [name, parts.reduce((sum, part) => sum + (part[name] ?? 0), 0)]);
  return {
    Resources: {
      ...Resources.create({ ...NONE, ...Object.fromEntries(sums) }),
      Networks: parts.flatMap(({ Networks }) => Networks),
    },
    TaskResources,
    SharedResources,
  };
}

function ofTask({ Cpu, Memory, Networks }: AllocatedTaskResources): Resources {
  return {
    ...Resources.create({
      ...NONE,
      ...{ CPU: Cpu?.CpuShares ?? 0, Cores: Cpu?.ReservedCores.length ?? 0 },
      ...{ MemoryMB: Memory?.MemoryMB ?? 0, MemoryMaxMB: Memory?.MemoryMaxMB ?? 0 },
    }),
    Networks,
  };
}
