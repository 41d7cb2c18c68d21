// What processes of this machine have used, from /proc.
import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds of CPU that the processes and those that they began used so far, all threads, to 10 ms. */
export function cpuMs(pids: readonly number[]): number {
  return withChildren(pids).reduce((sum, pid) => sum + cpuOf(pid), 0);
}

/** With that of its children that have ended. 0 when it has ended itself meanwhile: then it is its parent's. */
function cpuOf(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold blanks; user and system time are the 12th and 13th field after it, the children's follow.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i] ?? 0), 0) * 10;
}

/** Resident memory of it and those that it began now, MB. */
export function residentMb(pid: number): number {
  return withChildren([pid]).reduce((sum, it) => sum + ownMb(it), 0);
}

function ownMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** Processes that it began and that have not ended: a server makes each snapshot in one of its own. */
export function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function withChildren(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => [pid, ...childrenOf(pid)]);
}

/** Empty when the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const LOOK_MS = 250;

/** The most that processes, with those that they began, have in memory at once, as it is looked at four times a second. */
export class PeakMemory implements Disposable {
  readonly #timer: NodeJS.Timeout;
  mb = 0;

  constructor(pids: readonly number[]) {
    const look = () => {
      this.mb = Math.max(
        this.mb,
        pids.reduce((sum, pid) => sum + residentMb(pid), 0),
      );
    };
    look();
    this.#timer = setInterval(look, LOOK_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** How many threads it has. */
export function threads(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length;
}
