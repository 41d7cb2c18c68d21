import { groupUsage } from "./process-stats.ts";

interface ResourceUsage {
  readonly MemoryStats: { readonly RSS: number; readonly Usage: number; readonly Measured: readonly string[] };
  readonly CpuStats: {
    readonly SystemMode: number;
    readonly UserMode: number;
    readonly TotalTicks: number;
    readonly Percent: number;
    readonly Measured: readonly string[];
  };
}

export interface TaskUsage {
  readonly ResourceUsage: ResourceUsage;
  readonly Timestamp: number;
  readonly Pids: null;
}

interface Reading {
  readonly atNs: number;
  readonly seconds: number;
}

/** Reads what the tasks of one allocation take; what they took since the last reading is what they take now. */
export class UsageMeter {
  readonly #last: Map<string, Reading> = new Map();

  /** Of a task that is no process group, nothing. */
  read(task: string, group: number | undefined, nowNs: number): TaskUsage {
    const { rss, userSeconds, systemSeconds } =
      group === undefined ? { rss: 0, userSeconds: 0, systemSeconds: 0 } : groupUsage(group);
    const Percent = this.#percent(task, userSeconds + systemSeconds, nowNs);
    return {
      ResourceUsage: {
        MemoryStats: { RSS: rss, Usage: rss, Measured: ["RSS"] },
        CpuStats: {
          ...{ SystemMode: systemSeconds, UserMode: userSeconds, TotalTicks: 0, Percent },
          Measured: ["System Mode", "User Mode", "Percent"],
        },
      },
      Timestamp: nowNs,
      Pids: null,
    };
  }

  #percent(task: string, seconds: number, nowNs: number): number {
    const before = this.#last.get(task);
    this.#last.set(task, { atNs: nowNs, seconds });
    if (before === undefined || nowNs <= before.atNs) return 0;
    return Math.max(0, (100 * (seconds - before.seconds) * 1e9) / (nowNs - before.atNs));
  }
}

export function sumUsage(usages: readonly TaskUsage[]): ResourceUsage {
  const sum = (of: (usage: ResourceUsage) => number) => usages.reduce((total, it) => total + of(it.ResourceUsage), 0);
  const memory = sum(({ MemoryStats }) => MemoryStats.RSS);
  return {
    MemoryStats: { RSS: memory, Usage: memory, Measured: ["RSS"] },
    CpuStats: {
      SystemMode: sum(({ CpuStats }) => CpuStats.SystemMode),
      UserMode: sum(({ CpuStats }) => CpuStats.UserMode),
      TotalTicks: 0,
      Percent: sum(({ CpuStats }) => CpuStats.Percent),
      Measured: ["System Mode", "User Mode", "Percent"],
    },
  };
}
