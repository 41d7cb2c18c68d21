import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createStepClock, type StepClock, settle } from "../testing/step-clock.ts";
import type { Driver, ExitResult, TaskContext } from "./driver.ts";
import { createMockDriver } from "./mock-driver.ts";

let clock: StepClock;
let driver: Driver;
let dir: string;

beforeEach(() => {
  clock = createStepClock();
  driver = createMockDriver(clock);
  dir = mkdtempSync(join(tmpdir(), "steppe-mock-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

function context(config: Record<string, unknown>): TaskContext {
  const logs = { disabled: false, filesMax: 1, fileBytesMax: 1000 };
  return {
    allocId: "a",
    taskName: "t",
    attempt: 0,
    taskDir: dir,
    logsDir: dir,
    supervisorDir: dir,
    env: {},
    config,
    logs,
  };
}

async function resultOf(exited: Promise<ExitResult>): Promise<ExitResult | "running"> {
  await settle();
  return Promise.race([exited, Promise.resolve("running" as const)]);
}

test("mock driver: run_for, exit_code and exit_err_msg", async () => {
  const handle = await driver.start(context({ run_for: "2s", exit_code: 3, exit_err_msg: "crashed" }));
  await clock.advance(1999);
  expect(await resultOf(handle.exited)).toBe("running");
  await clock.advance(1);
  expect(await handle.exited).toEqual({ exitCode: 3, signal: 0, message: "crashed" });
});

test("mock driver: start_error, after start_block_for", async () => {
  const starting = driver.start(context({ start_error: "no", start_error_recoverable: true, start_block_for: "1s" }));
  const refused = expect(starting).rejects.toMatchObject({ message: "no", recoverable: true });
  await clock.advance(1000);
  await refused;
});

test("mock driver: kill_after delays the end that was asked for", async () => {
  const handle = await driver.start(context({ run_for: "1h", kill_after: "3s" }));
  const stopping = handle.stop("SIGINT", 5000);
  await clock.advance(2999);
  expect(await resultOf(handle.exited)).toBe("running");
  await clock.advance(1);
  await stopping;
  expect(clock.pending()).toBe(0);
});

test("mock driver: stdout_string, repeated", async () => {
  await driver.start(context({ run_for: "1h", stdout_string: "x", stdout_repeat: 2, stdout_repeat_duration: "1s" }));
  await clock.advance(5000);
  expect(readFileSync(join(dir, "t.stdout.0"), "utf8")).toBe("xxx");
});

test("mock driver: recovered, runs for what is left", async () => {
  const first = await driver.start(context({ run_for: "10s" }));
  first.detach();
  await clock.advance(6000);
  const handle = await driver.recover(context({ run_for: "10s" }), first.state);
  await clock.advance(3999);
  expect(await resultOf(handle?.exited as Promise<ExitResult>)).toBe("running");
  await clock.advance(1);
  expect(await handle?.exited).toMatchObject({ exitCode: 0 });
});
