// Telling a process from a later one with the same number.
import { readFileSync } from "node:fs";

/** Clock ticks since boot at which the process started; undefined when there is none, or only its remains. */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name is in parentheses and may hold anything; fields are counted after the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return processStartWithoutProc(pid);
  }
}

/** Systems without /proc only tell whether there is a process. */
function processStartWithoutProc(pid: number): string | undefined {
  if (process.platform === "linux") return undefined;
  try {
    process.kill(pid, 0);
    return "unknown";
  } catch {
    return undefined;
  }
}

/** Differs after a reboot; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

/**
 * To the command that a supervising shell runs, and not to what the command started, as a user who names a signal
 * expects; to the whole group where the system does not tell who is whose child, or there is no command any more.
 */
export function signalCommand(supervisor: number, signal: NodeJS.Signals): boolean {
  const command = firstChild(supervisor);
  return command === undefined ? signalGroup(supervisor, signal) : send(command, signal);
}

function firstChild(pid: number): number | undefined {
  try {
    const [first = ""] = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ");
    return first === "" ? undefined : Number(first);
  } catch {
    return undefined;
  }
}

/** Whether anything received it. A group of somebody else's processes does not. */
export function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  return send(-pgid, signal);
}

function send(to: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(to, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}
