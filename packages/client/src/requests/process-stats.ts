// What the processes of a group take, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** Ticks of the scheduler's clock a second, as Linux tells them to programs on every machine. */
const TICKS_PER_SECOND = 100;

export interface GroupUsage {
  /** Bytes. */
  readonly rss: number;
  /** Of all processes since they began. */
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly pids: readonly number[];
}

/** Nothing where the system has no /proc, or the group has ended. */
export function groupUsage(pgid: number): GroupUsage {
  const usage = { rss: 0, userSeconds: 0, systemSeconds: 0, pids: [] as number[] };
  for (const name of processes()) {
    const fields = statOf(name);
    if (fields === undefined || Number(fields[2]) !== pgid) continue;
    usage.pids.push(Number(name));
    usage.userSeconds += Number(fields[11]) / TICKS_PER_SECOND;
    usage.systemSeconds += Number(fields[12]) / TICKS_PER_SECOND;
    usage.rss += Number(fields[21]) * 4096;
  }
  return usage;
}

function processes(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** The fields behind the command's name, which may hold anything. */
function statOf(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    // It ended in between.
    return undefined;
  }
}
