// A command run beside a task, in its directory and with its environment.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { ExecProcess, TaskContext } from "./driver.ts";
import { startOnTerminal } from "./terminal.ts";

export function execProcess(context: TaskContext, command: string, args: readonly string[], tty: boolean): ExecProcess {
  const options = { cwd: context.taskDir, env: context.env, detached: true } as const;
  if (!tty) return { ...followed(spawn(command, args, options)), resize: () => undefined };
  const terminal = startOnTerminal(command, args, options);
  return { ...followed(terminal.child), resize: terminal.resize };
}

function followed(child: ChildProcessWithoutNullStreams): Omit<ExecProcess, "resize"> {
  const exited = new Promise<{ exitCode: number }>((resolve) => {
    child.once("error", () => resolve({ exitCode: 127 }));
    child.once("close", (code) => resolve({ exitCode: code ?? 128 }));
  });
  // Writing to a command that has ended is no failure: its end is told by `exited`.
  child.stdin.on("error", () => undefined);
  return {
    exited,
    output(listener) {
      for (const name of ["stdout", "stderr"] as const) {
        child[name].on("data", (data: Buffer) => listener(name, data));
        child[name].once("end", () => listener(name, undefined));
      }
    },
    write: (data) => void child.stdin.write(data),
    closeInput: () => void child.stdin.end(),
    kill: () => killGroup(child),
  };
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
