// What processes of this machine have used, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds of CPU that the processes used so far, all threads, to 10 ms. */
export function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold blanks; user and system time are the 12th and 13th field after it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory now, MB. */
export function residentMb(pid: number): number {
  return statusMb(pid, "VmRSS");
}

/** Most resident memory so far, MB. */
export function peakMb(pid: number): number {
  return statusMb(pid, "VmHWM");
}

function statusMb(pid: number, field: string): number {
  const line = readFileSync(`/proc/${pid}/status`, "utf8")
    .split("\n")
    .find((it) => it.startsWith(`${field}:`));
  return Number(line?.split(/\s+/)[1]) / 1024;
}

/** How many threads it has. */
export function threads(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length;
}
