// Runs a command as a process of the host, without isolation.
//
// Each task is a process group of its own: a small supervising shell and the command. The shell
// outlives the agent and writes the command's exit status to a file, so that an agent which was
// away learns how a task ended. What a user sends goes to the command, what stops it to the whole group; the shell survives those that it can
// trap, and passes none on as ignored, because handlers (unlike ignored signals) are reset by exec.
import { type ChildProcess, spawn } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants as fsConstants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { Clock, Logger } from "@steppe/model";
import {
  type Driver,
  DriverError,
  type ExitResult,
  type HandleState,
  type TaskContext,
  type TaskHandle,
} from "./driver.ts";
import { execProcess } from "./exec-process.ts";
import { liveLog, rotateLog } from "./log-rotation.ts";
import { bootId, processStart, signalCommand, signalGroup } from "./process-table.ts";

const SUPERVISOR = `trap : HUP INT QUIT TERM USR1 USR2 ALRM ABRT PIPE
out=$1; shift
"$@"
code=$?
echo $code > "$out"
exit $code`;

/** A shell reports a command that a signal ended as this plus the signal. */
const SIGNAL_BASE = 128;
/** How often a task of an earlier life of the agent, no child of this one, is looked at. */
const POLL_MS = 250;
const ROTATE_EVERY_MS = 1000;

export function createRawExecDriver(clock: Clock, logger: Logger): Driver {
  return {
    name: "raw_exec",
    start: async (context) => {
      const [command, args] = readConfig(context);
      const exitFile = exitFileOf(context);
      mkdirSync(context.supervisorDir, { recursive: true });
      rmSync(exitFile, { force: true });
      const child = await spawnSupervised(context, exitFile, command, args);
      const pid = child.pid as number;
      const state: HandleState = { pid, startTicks: processStart(pid) ?? "", bootId: bootId(), exitFile };
      return handle({ clock, logger }, context, state, exitOfChild(child, exitFile));
    },
    recover: async (context, state) => {
      const seen = lookFor(state);
      if (seen === "unknown") return undefined;
      const gone = new AbortController();
      const exited = seen === "running" ? exitByPolling(clock, state, gone.signal) : Promise.resolve(readExit(state));
      return handle({ clock, logger }, context, state, exited, () => gone.abort());
    },
    exec: (context, command, tty) =>
      execProcess(context, findCommand(command[0] ?? "", context), command.slice(1), tty),
  };
}

function readConfig(context: TaskContext): readonly [string, readonly string[]] {
  const { command, args } = context.config;
  if (typeof command !== "string" || command === "")
    throw new DriverError("missing command for raw_exec driver", false);
  if (args !== undefined && args !== null && !Array.isArray(args)) throw new DriverError("args must be a list", false);
  return [findCommand(command, context), (args ?? []).map(String)];
}

/** As a shell would: a path as it is, a bare name in the task's directory and then along PATH. */
function findCommand(command: string, context: TaskContext): string {
  const directories = command.includes("/")
    ? [""]
    : [join(context.taskDir, "local"), context.taskDir, ...(context.env.PATH ?? "").split(delimiter)];
  for (const directory of directories) {
    const path = isAbsolute(command) ? command : resolve(context.taskDir, directory, command);
    if (isExecutable(path)) return path;
  }
  const where = command.includes("/") ? "no such executable file" : "executable file not found in $PATH";
  throw new DriverError(`failed to launch command: exec: ${JSON.stringify(command)}: ${where}`, false);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, fsConstants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function spawnSupervised(
  context: TaskContext,
  exitFile: string,
  command: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const openLog = (stream: "stdout" | "stderr") =>
    openSync(context.logs.disabled ? "/dev/null" : liveLog(context.logsDir, context.taskName, stream), "a");
  const stdout = openLog("stdout");
  const stderr = openLog("stderr");
  try {
    const child = spawn("/bin/sh", ["-c", SUPERVISOR, "steppe-task", exitFile, command, ...args], {
      cwd: context.taskDir,
      env: context.env,
      detached: true,
      stdio: ["ignore", stdout, stderr],
    });
    await new Promise<void>((launched, failed) => child.once("spawn", launched).once("error", failed));
    child.unref();
    return child;
  } catch (error) {
    throw new DriverError(`failed to launch command: ${(error as Error).message}`, true, { cause: error });
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

/** Outside the task's own directory. */
function exitFileOf(context: TaskContext): string {
  return join(context.supervisorDir, `${context.taskName}.${context.attempt}.exit`);
}

function exitOfChild(child: ChildProcess, exitFile: string): Promise<ExitResult> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      if (signal === null) return resolve(exitResult(code ?? 0));
      // The shell itself was killed, with the group or after it had written the status.
      const written = readExitFile(exitFile);
      resolve(exitResult(written ?? SIGNAL_BASE + osConstants.signals[signal]));
    });
  });
}

/** A command that ends itself with a status above 128 cannot be told from one that a signal ended. */
function exitResult(code: number): ExitResult {
  const signal = code > SIGNAL_BASE && code <= SIGNAL_BASE + 64 ? code - SIGNAL_BASE : 0;
  return { exitCode: code, signal, message: "" };
}

function readExitFile(path: string): number | undefined {
  try {
    const code = Number.parseInt(readFileSync(path, "latin1"), 10);
    return Number.isNaN(code) ? undefined : code;
  } catch {
    return undefined;
  }
}

function readExit(state: HandleState): ExitResult {
  const code = readExitFile(String(state.exitFile));
  // No status: the supervisor was killed along with the group.
  return exitResult(code ?? SIGNAL_BASE + osConstants.signals.SIGKILL);
}

function isRunning(state: HandleState): boolean {
  return state.bootId === bootId() && processStart(Number(state.pid)) === state.startTicks;
}

/** The number may be another's by now: after a reboot, or because a process that came later has it. */
function isOurs(state: HandleState): boolean {
  const start = processStart(Number(state.pid));
  return state.bootId === bootId() && (start === undefined || start === state.startTicks);
}

function lookFor(state: HandleState): "running" | "ended" | "unknown" {
  if (isRunning(state)) return "running";
  return readExitFile(String(state.exitFile)) === undefined ? "unknown" : "ended";
}

async function exitByPolling(clock: Clock, state: HandleState, signal: AbortSignal): Promise<ExitResult> {
  while (isRunning(state)) {
    const stopped = await clock.after(POLL_MS, signal).then(
      () => false,
      () => true,
    );
    if (stopped) return new Promise(() => {});
  }
  return readExit(state);
}

interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
}

function handle(
  around: Surroundings,
  context: TaskContext,
  state: HandleState,
  ended: Promise<ExitResult>,
  detach: () => void = () => {},
): TaskHandle {
  const over = new AbortController();
  const pgid = Number(state.pid);
  const exited = ended.then((result) => {
    over.abort();
    // What the command left behind in its group ends with it.
    if (isOurs(state)) signalGroup(pgid, "SIGKILL");
    return result;
  });
  if (!context.logs.disabled) void keepRotating(around, context, over.signal);
  return {
    state,
    exited,
    stop: async (signal, timeoutMs) => {
      if (isRunning(state)) signalGroup(pgid, signalName(signal));
      const forced = around.clock.after(timeoutMs, over.signal).then(
        () => isOurs(state) && signalGroup(pgid, "SIGKILL"),
        () => false,
      );
      await Promise.all([exited, forced]);
    },
    signal: (name) => {
      const known = knownSignal(name);
      if (known === undefined) throw new DriverError(`unknown signal ${JSON.stringify(name)}`, false);
      signalCommand(pgid, known);
    },
    processGroup: pgid,
    detach: () => {
      detach();
      over.abort();
    },
  };
}

/** SIGINT when the job names none, or none that exists. */
function signalName(name: string): NodeJS.Signals {
  return knownSignal(name) ?? "SIGINT";
}

function knownSignal(name: string): NodeJS.Signals | undefined {
  const full = name.toUpperCase().startsWith("SIG") ? name.toUpperCase() : `SIG${name.toUpperCase()}`;
  return full in osConstants.signals ? (full as NodeJS.Signals) : undefined;
}

async function keepRotating({ clock, logger }: Surroundings, context: TaskContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await clock.after(ROTATE_EVERY_MS, signal);
    } catch {
      return;
    }
    try {
      rotateLog(context.logsDir, context.taskName, "stdout", context.logs);
      rotateLog(context.logsDir, context.taskName, "stderr", context.logs);
    } catch (error) {
      logger.warn({ err: error, alloc: context.allocId, task: context.taskName }, "cannot rotate the task's output");
    }
  }
}
