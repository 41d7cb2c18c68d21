// Real processes, on the machine's clock: each wait is for a process to do something.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClock } from "@steppe/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silent } from "../testing/fixtures.ts";
import type { TaskContext, TaskHandle } from "./driver.ts";
import { bootId, processStart } from "./process-table.ts";
import { createRawExecDriver } from "./raw-exec.ts";

const driver = createRawExecDriver(createClock(), silent);
let dir: string;
let handles: TaskHandle[];

beforeEach(() => {
  handles = [];
  dir = mkdtempSync(join(tmpdir(), "steppe-exec-"));
  for (const sub of ["task", "logs", "sup"]) mkdirSync(join(dir, sub));
});
afterEach(async () => {
  await Promise.all(handles.map((handle) => handle.stop("SIGKILL", 0)));
  rmSync(dir, { recursive: true });
});

function context(command: string, args: unknown[] = [], env: Record<string, string> = {}): TaskContext {
  return {
    allocId: "a",
    taskName: "t",
    attempt: 0,
    taskDir: join(dir, "task"),
    logsDir: join(dir, "logs"),
    supervisorDir: join(dir, "sup"),
    env: { PATH: process.env.PATH ?? "", ...env },
    config: { command, args },
    logs: { disabled: false, filesMax: 2, fileBytesMax: 1000 },
  };
}

async function start(given: TaskContext): Promise<TaskHandle> {
  const handle = await driver.start(given);
  handles.push(handle);
  return handle;
}

const sh = (script: string, env: Record<string, string> = {}) => start(context("/bin/sh", ["-c", script], env));
const output = (stream = "stdout") => readFileSync(join(dir, "logs", `t.${stream}.0`), "utf8");
const until = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 10 });
const ready = () => until(() => expect(output()).toContain("ready"));

test("raw_exec: exit codes are the command's", async () => {
  expect(await (await sh("exit 0")).exited).toEqual({ exitCode: 0, signal: 0, message: "" });
  expect(await (await sh("exit 7")).exited).toMatchObject({ exitCode: 7, signal: 0 });
  expect(await (await sh("kill -TERM $$")).exited).toMatchObject({ exitCode: 143, signal: 15 });
});

test("raw_exec: environment, arguments, working directory and output files", async () => {
  const handle = await start(
    context("/bin/sh", ["-c", 'echo "$GREETING $1 $PWD"; echo oops >&2', "x", "a b"], { GREETING: "hello" }),
  );
  await handle.exited;
  expect(output()).toBe(`hello a b ${join(dir, "task")}\n`);
  expect(output("stderr")).toBe("oops\n");
});

test("raw_exec: a command that does not exist is refused for good", async () => {
  await expect(start(context("no-such-command"))).rejects.toMatchObject({ recoverable: false });
  await expect(start(context(""))).rejects.toMatchObject({ message: "missing command for raw_exec driver" });
});

test("raw_exec: the kill signal reaches the command, SIGINT when none is named", async () => {
  const handle = await sh('trap "exit 5" INT; echo ready; while :; do sleep 0.05; done');
  await ready();
  await handle.stop("", 5000);
  expect(await handle.exited).toMatchObject({ exitCode: 5 });
});

test("raw_exec: a command that ignores the signal is killed after the timeout", async () => {
  const handle = await sh('trap "" TERM; echo ready; while :; do sleep 0.05; done');
  await ready();
  await handle.stop("SIGTERM", 100);
  expect(await handle.exited).toMatchObject({ exitCode: 137, signal: 9 });
});

test("raw_exec: what the command leaves in its group ends with it", async () => {
  const handle = await sh('sleep 300 & echo "ready $!"; exit 0');
  await handle.exited;
  const left = Number(output().split(" ")[1]);
  await until(() => expect(processStart(left)).toBeUndefined());
});

test("raw_exec: recovered while it runs, its exit code is learnt", async () => {
  const go = join(dir, "go");
  const given = context("/bin/sh", ["-c", `until [ -e ${go} ]; do sleep 0.02; done; exit 9`]);
  const first = await start(given);
  first.detach();
  const again = await driver.recover(given, JSON.parse(JSON.stringify(first.state)));
  writeFileSync(go, "");
  expect(await again?.exited).toMatchObject({ exitCode: 9 });
});

test("raw_exec: recovered after it ended, its exit code is still known", async () => {
  const given = context("/bin/sh", ["-c", "exit 4"]);
  const first = await start(given);
  await first.exited;
  expect(await (await driver.recover(given, first.state))?.exited).toMatchObject({ exitCode: 4 });
});

test("raw_exec: a process of the same number that started at another time is not taken for the task", async () => {
  const state = { pid: process.pid, startTicks: "1", bootId: "x", exitFile: join(dir, "none") };
  expect(await driver.recover(context("/bin/true"), state)).toBeUndefined();
});

test("raw_exec: ended while the agent was away, the process that has its number now is left alone", async () => {
  const bystander = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
  const pid = bystander.pid as number;
  const exitFile = join(dir, "sup", "t.0.exit");
  writeFileSync(exitFile, "2\n");
  const handle = await driver.recover(context("/bin/true"), { pid, startTicks: "1", bootId: bootId(), exitFile });
  expect(await handle?.exited).toMatchObject({ exitCode: 2 });
  await handle?.stop("SIGKILL", 0);
  expect(processStart(pid)).toBeDefined();
  bystander.kill("SIGKILL");
});
