// A driver that runs nothing: it waits and ends as its configuration says. For tests of everything
// above it. A task without `run_for` ends at once.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, parseDuration } from "@steppe/model";
import {
  type Driver,
  DriverError,
  type ExitResult,
  type HandleState,
  type TaskContext,
  type TaskHandle,
} from "./driver.ts";

export interface MockConfig {
  readonly runForMs: number;
  readonly exit: ExitResult;
  readonly startError: string;
  readonly startErrorRecoverable: boolean;
  readonly startBlockForMs: number;
  /** From the request to end until the end. */
  readonly killAfterMs: number;
  readonly stdout: MockOutput;
  readonly stderr: MockOutput;
}

interface MockOutput {
  readonly text: string;
  /** Times after the first. */
  readonly repeat: number;
  readonly everyMs: number;
}

/** Throws `DriverError` for a duration that is none. */
export function readMockConfig(config: Readonly<Record<string, unknown>>): MockConfig {
  return {
    runForMs: duration(config, "run_for"),
    exit: {
      exitCode: number(config, "exit_code"),
      signal: number(config, "exit_signal"),
      message: text(config, "exit_err_msg"),
    },
    startError: text(config, "start_error"),
    startErrorRecoverable: config.start_error_recoverable === true || config.start_error_recoverable === "true",
    startBlockForMs: duration(config, "start_block_for"),
    killAfterMs: duration(config, "kill_after"),
    stdout: output(config, "stdout"),
    stderr: output(config, "stderr"),
  };
}

function output(config: Readonly<Record<string, unknown>>, stream: string): MockOutput {
  return {
    text: text(config, `${stream}_string`),
    repeat: number(config, `${stream}_repeat`),
    everyMs: duration(config, `${stream}_repeat_duration`),
  };
}

function text(config: Readonly<Record<string, unknown>>, key: string): string {
  const value = config[key];
  return value === undefined || value === null ? "" : String(value);
}

function number(config: Readonly<Record<string, unknown>>, key: string): number {
  const value = Number(config[key] ?? 0);
  if (!Number.isInteger(value)) throw new DriverError(`${key} ${text(config, key)} not a valid number`, false);
  return value;
}

function duration(config: Readonly<Record<string, unknown>>, key: string): number {
  const value = text(config, key);
  if (value === "") return 0;
  const parsed = parseDuration(value);
  if (parsed === undefined) throw new DriverError(`${key} ${value} not a valid duration`, false);
  return parsed / 1e6;
}

export function createMockDriver(clock: Clock): Driver {
  return {
    name: "mock_driver",
    start: async (context) => {
      const config = readMockConfig(context.config);
      if (config.startBlockForMs > 0) await clock.after(config.startBlockForMs);
      if (config.startError !== "") throw new DriverError(config.startError, config.startErrorRecoverable);
      write(context, config);
      return run(clock, context, config, clock.wallNs());
    },
    recover: async (context, state) => {
      const startedNs = Number(state.startedNs);
      return Number.isFinite(startedNs) ? run(clock, context, readMockConfig(context.config), startedNs) : undefined;
    },
  };
}

function run(clock: Clock, context: TaskContext, config: MockConfig, startedNs: number): TaskHandle {
  const ending = new AbortController();
  const { promise: exited, resolve } = Promise.withResolvers<ExitResult>();
  const end = (result: ExitResult) => {
    resolve(result);
    ending.abort();
  };
  const state: HandleState = { startedNs };
  const leftMs = config.runForMs - (clock.wallNs() - startedNs) / 1e6;
  after(clock, Math.max(0, leftMs), ending.signal, () => end(config.exit));
  repeat(clock, context, "stdout", config.stdout, ending.signal);
  repeat(clock, context, "stderr", config.stderr, ending.signal);
  return {
    state,
    exited,
    stop: async (_signal, timeoutMs) => {
      const waitMs = Math.min(config.killAfterMs, timeoutMs);
      const killed = { exitCode: 0, signal: 0, message: "" };
      if (waitMs === 0) end(killed);
      else after(clock, waitMs, ending.signal, () => end(killed));
      await exited;
    },
    signal: () => undefined,
    processGroup: undefined,
    detach: () => ending.abort(),
  };
}

function after(clock: Clock, ms: number, signal: AbortSignal, then: () => void): void {
  clock.after(ms, signal).then(then, () => {
    // Ended first.
  });
}

function write(context: TaskContext, config: MockConfig): void {
  append(context, "stdout", config.stdout.text);
  append(context, "stderr", config.stderr.text);
}

function repeat(clock: Clock, context: TaskContext, stream: string, output: MockOutput, signal: AbortSignal): void {
  const next = (left: number) => {
    if (left === 0) return;
    after(clock, output.everyMs, signal, () => {
      append(context, stream, output.text);
      next(left - 1);
    });
  };
  if (output.text !== "") next(output.repeat);
}

function append(context: TaskContext, stream: string, text: string): void {
  if (text === "" || context.logs.disabled) return;
  appendFileSync(join(context.logsDir, `${context.taskName}.${stream}.0`), text);
}
