import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AllocationUpdate,
  CheckRestart,
  type Job,
  Node,
  Service,
  ServiceCheck,
  type TaskState,
} from "@steppe/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Answer } from "../checks/probe.ts";
import { createMockDriver } from "../drivers/mock-driver.ts";
import { assignedTo, jobOf, seededRandom, silent } from "../testing/fixtures.ts";
import { createStepClock, type StepClock } from "../testing/step-clock.ts";
import { AllocRunner } from "./alloc-runner.ts";
import { AllocationStore } from "./allocation-files.ts";

let clock: StepClock;
let dir: string;
let reported: AllocationUpdate[];
let runners: AllocRunner[];
/** What every check is answered. */
let answer: Answer;

beforeEach(() => {
  clock = createStepClock();
  dir = mkdtempSync(join(tmpdir(), "steppe-alloc-"));
  reported = [];
  runners = [];
  answer = { ok: false, output: "nomad: refused", statusCode: 0 };
});
afterEach(() => {
  for (const runner of runners) runner.detach();
  rmSync(dir, { recursive: true });
});

function runnerOf(job: Job): AllocRunner {
  const runner = new AllocRunner(assignedTo(job), job, {
    node: Node.create({ ID: "n" }),
    region: "global",
    allocDir: join(dir, "alloc"),
    hostEnv: {},
    drivers: new Map([["mock_driver", createMockDriver(clock)]]),
    probe: async () => answer,
    store: new AllocationStore(dir),
    report: (update) => reported.push(update),
    clock,
    random: seededRandom(),
    logger: silent,
  });
  runners.push(runner);
  return runner;
}

async function run(job: Job): Promise<AllocRunner> {
  const runner = runnerOf(job);
  await runner.start();
  await clock.advance(0);
  return runner;
}

const statuses = () => reported.map((update) => update.ClientStatus).filter((status, i, all) => status !== all[i - 1]);
const task = (name = "main") => reported.at(-1)?.TaskStates[name] as TaskState;
const types = (name = "main") => task(name).Events.map((event) => event.Type);
const texts = (name = "main") => task(name).Events.map((event) => event.DisplayMessage);

test("allocation: batch task that succeeds, pending then running then complete", async () => {
  await run(jobOf([{ Config: { run_for: "5s" } }], { Type: "batch" }));
  await clock.advance(5000);
  expect(statuses()).toEqual(["pending", "running", "complete"]);
  expect(texts()).toEqual([
    "Task received by client",
    "Building Task Directory",
    "Task started by client",
    "Exit Code: 0",
  ]);
});

test("allocation: failing task, restarted by the policy, then failed", async () => {
  const policy = { Attempts: 1, Interval: 60e9, Delay: 10e9, Mode: "fail" };
  await run(jobOf([{ Config: { run_for: "1s", exit_code: 1 } }], {}, { RestartPolicy: policy }));
  await clock.advance(1000);
  expect(task()).toMatchObject({ State: "pending", Restarts: 1 });
  expect(texts().slice(-2)).toEqual(["Exit Code: 1", "Task restarting in 10s"]);
  await clock.advance(11_000);
  expect(statuses().at(-1)).toBe("failed");
  expect(texts().at(-1)).toBe('Exceeded allowed attempts 1 in interval 1m0s and mode is "fail"');
  expect(task()).toMatchObject({ State: "dead", Failed: true, Restarts: 1 });
});

test("allocation: start error that will not pass, failed with the driver's words", async () => {
  await run(jobOf([{ Config: { start_error: "no such image" } }], {}, { RestartPolicy: { Attempts: 3 } }));
  expect(texts().slice(-2)).toEqual(["no such image", "Error was unrecoverable"]);
  expect(statuses().at(-1)).toBe("failed");
});

test("allocation: unknown driver, failed", async () => {
  await run(jobOf([{ Driver: "docker" }]));
  expect(types().slice(-2)).toEqual(["Driver Failure", "Not Restarting"]);
});

test("allocation: stopped, complete and not failed", async () => {
  const runner = await run(jobOf([{ Config: { run_for: "1h" } }]));
  await runner.stop();
  expect(statuses()).toEqual(["pending", "running", "complete"]);
  expect(types().slice(-3)).toEqual(["Killing", "Terminated", "Killed"]);
});

test("allocation: stopped between restarts, complete", async () => {
  const runner = await run(jobOf([{ Config: { exit_code: 1 } }], {}, { RestartPolicy: { Attempts: 3, Delay: 60e9 } }));
  await runner.stop();
  expect(statuses().at(-1)).toBe("complete");
  expect(clock.pending()).toBe(0);
});

test("allocation: a task fails, its sibling is killed and has not failed", async () => {
  await run(
    jobOf([
      { Name: "a", Config: { run_for: "1s", exit_code: 2 } },
      { Name: "b", Config: { run_for: "1h" } },
    ]),
  );
  await clock.advance(1000);
  expect(statuses().at(-1)).toBe("failed");
  expect(task("b")).toMatchObject({ State: "dead", Failed: false });
  expect(texts("b")).toContain('Task\'s sibling "a" failed');
});

test("allocation: prestart, main, poststop run one after another; stopped meanwhile, poststop still runs", async () => {
  const init = { Name: "init", Lifecycle: { Hook: "prestart", Sidecar: false }, Config: { run_for: "1s" } };
  const down = { Name: "down", Lifecycle: { Hook: "poststop", Sidecar: false }, Config: { run_for: "1s" } };
  const runner = await run(jobOf([{ Config: { run_for: "1h" } }, init, down]));
  expect([task("init").State, task().State]).toEqual(["running", "pending"]);
  await clock.advance(1000);
  expect([task("init").State, task().State, task("down").State]).toEqual(["dead", "running", "pending"]);
  const stopping = runner.stop();
  await clock.advance(0);
  expect([task().State, task("down").State]).toEqual(["dead", "running"]);
  await clock.advance(1000);
  await stopping;
  expect(statuses().at(-1)).toBe("complete");
});

test("allocation: shutdown delay of the group passes before the kill", async () => {
  const runner = await run(jobOf([{ Config: { run_for: "1h" } }], {}, { ShutdownDelay: 5e9 }));
  const stopping = runner.stop();
  await clock.advance(4999);
  expect(task().State).toBe("running");
  await clock.advance(1);
  await stopping;
});

test("health: running for the minimum time, healthy; without an update block, not told", async () => {
  await run(jobOf([{ Config: { run_for: "1h" } }], {}, { Update: { MinHealthyTime: 10e9 } }));
  await clock.advance(9999);
  expect(reported.at(-1)?.DeploymentStatus).toBeUndefined();
  await clock.advance(1);
  expect(reported.at(-1)?.DeploymentStatus?.Healthy).toBe(true);
  await run(jobOf([{ Config: { run_for: "1h" } }]));
  await clock.advance(600_000);
  expect(reported.at(-1)?.DeploymentStatus).toBeUndefined();
});

test("health: failed before the minimum time, or not up by the deadline: unhealthy", async () => {
  await run(jobOf([{ Config: { run_for: "5s", exit_code: 1 } }], {}, { Update: { MinHealthyTime: 10e9 } }));
  await clock.advance(5000);
  expect(reported.at(-1)?.DeploymentStatus?.Healthy).toBe(false);
  expect(texts().at(-1)).toBe("Unhealthy because of failed task");
  const restart = { Attempts: 100, Interval: 3600e9, Delay: 1e9, Mode: "delay" };
  const update = { MinHealthyTime: 10e9, HealthyDeadline: 30e9 };
  await run(jobOf([{ Config: { run_for: "5s", exit_code: 1 } }], {}, { Update: update, RestartPolicy: restart }));
  await clock.advance(29_999);
  expect(reported.at(-1)?.DeploymentStatus).toBeUndefined();
  await clock.advance(1);
  expect(reported.at(-1)?.DeploymentStatus?.Healthy).toBe(false);
});

test("health: outside a deployment, the migrate block tells how long; also where a person decides about rollouts", async () => {
  const group = { Update: { MinHealthyTime: 1e9, HealthCheck: "manual" }, Migrate: { MinHealthyTime: 5e9 } };
  await run(jobOf([{ Config: { run_for: "1h" } }], {}, group));
  await clock.advance(4999);
  expect(reported.at(-1)?.DeploymentStatus).toBeUndefined();
  await clock.advance(1);
  expect(reported.at(-1)?.DeploymentStatus?.Healthy).toBe(true);
});

test("health: a new deployment takes the running allocation over, it is told anew and by that name", async () => {
  const job = jobOf([{ Config: { run_for: "1h" } }], {}, { Update: { MinHealthyTime: 10e9 } });
  const runner = await run(job);
  await clock.advance(10_000);
  expect(reported.at(-1)).toMatchObject({ DeploymentID: "", DeploymentStatus: { Healthy: true } });
  const before = reported.at(-1)?.DeploymentStatus?.Timestamp ?? 0;
  await clock.advance(5000);
  runner.update(assignedTo(job, 0, { DeploymentID: "next", AllocModifyIndex: 11 }), { ...job, Version: 1 });
  expect(reported.at(-1)).toMatchObject({ DeploymentID: "next", DeploymentStatus: { Healthy: true } });
  expect(reported.at(-1)?.DeploymentStatus?.Timestamp).toBeGreaterThan(before);
});

const http = (check: Partial<ServiceCheck> = {}) =>
  Service.create({
    ...{ Name: "web", Provider: "nomad", PortLabel: "8080", Address: "127.0.0.1" },
    Checks: [ServiceCheck.create({ Name: "up", Type: "http", Path: "/", Interval: 1e9, Timeout: 1e9, ...check })],
  });
const passes: Answer = { ok: true, output: "nomad: http ok", statusCode: 200 };
const healthy = () => reported.at(-1)?.DeploymentStatus?.Healthy;

test("checks: failing at first, the allocation is healthy once they have passed for the minimum time", async () => {
  const update = { MinHealthyTime: 10e9, HealthyDeadline: 60e9 };
  const runner = await run(jobOf([{ Config: { run_for: "1h" }, Services: [http()] }], {}, { Update: update }));
  await clock.advance(20_000);
  expect(healthy()).toBeUndefined();
  expect(Object.values(runner.checks())).toMatchObject([
    ...[{ Status: "failure", Output: "nomad: refused", Mode: "healthiness", Group: "example.web[0]", Task: "main" }],
  ]);
  answer = passes;
  await clock.advance(1000);
  await clock.advance(9999);
  expect(healthy()).toBeUndefined();
  await clock.advance(1);
  expect(healthy()).toBe(true);
  expect(Object.values(runner.checks())).toMatchObject([{ Status: "success", StatusCode: 200, Check: "up" }]);
});

test("checks: never passing, the allocation is unhealthy at the deadline", async () => {
  const update = { MinHealthyTime: 1e9, HealthyDeadline: 30e9 };
  await run(jobOf([{ Config: { run_for: "1h" } }], {}, { Update: update, Services: [http()] }));
  await clock.advance(29_999);
  expect(healthy()).toBeUndefined();
  await clock.advance(1);
  expect(healthy()).toBe(false);
  expect([types().at(-1), texts().at(-1)]).toEqual(["Alloc Unhealthy", "Services not healthy by deadline: web"]);
});

test.each([
  ["with on_update ignore", http({ OnUpdate: "ignore" }), {}],
  ["while task states alone decide", http(), { HealthCheck: "task_states" }],
  ["of another provider", { ...http(), Provider: "consul" }, {}],
])("checks: failing %s, keep no rollout waiting", async (_, service, update) => {
  const Update = { MinHealthyTime: 1e9, ...update };
  await run(jobOf([{ Config: { run_for: "1h" }, Services: [service] }], {}, { Update }));
  await clock.advance(1000);
  expect(healthy()).toBe(true);
});

test("checks: failing as often as check_restart allows after its grace, restart the task by its policy", async () => {
  const check = { CheckRestart: CheckRestart.create({ Limit: 3, Grace: 5e9 }) };
  const policy = { Attempts: 1, Interval: 600e9, Delay: 2e9, Mode: "fail" };
  const services = { Services: [http(check)] };
  await run(jobOf([{ Config: { run_for: "1h" }, ...services }], {}, { RestartPolicy: policy }));
  await clock.advance(6999);
  expect(task()).toMatchObject({ State: "running", Restarts: 0 });
  await clock.advance(1);
  expect(task()).toMatchObject({ State: "pending", Restarts: 1 });
  expect(texts()).toContain('healthcheck: check "up" unhealthy');
  await clock.advance(3000);
  expect(task()).toMatchObject({ State: "running", Restarts: 1 });
  // The policy allows one restart: the second round of failures is the end.
  await clock.advance(8000);
  expect(statuses().at(-1)).toBe("failed");
});

test("checks: of a task that is stopped, are asked no more and wait to run", async () => {
  answer = passes;
  const runner = await run(jobOf([{ Config: { run_for: "1h" }, Services: [http()] }]));
  await clock.advance(1000);
  expect(Object.values(runner.checks())).toMatchObject([{ Status: "success" }]);
  void runner.stop();
  await clock.advance(10_000);
  expect(Object.values(runner.checks())).toMatchObject([{ Status: "pending", Output: "nomad: waiting to run" }]);
});
