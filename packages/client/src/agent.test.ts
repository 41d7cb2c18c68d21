import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AssignedAllocation, Job, NodeAllocations } from "@steppe/proto";
import { createRandom } from "@steppe/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAgent, type NodeAgent } from "./agent.ts";
import type { ClientConfig } from "./config.ts";
import { assignedTo, jobOf, silent } from "./testing/fixtures.ts";
import { createServerDouble, type ServerDouble } from "./testing/server-double.ts";
import { createStepClock, type StepClock, settle } from "./testing/step-clock.ts";

let clock: StepClock;
let server: ServerDouble;
let dir: string;
let agents: NodeAgent[];

beforeEach(() => {
  clock = createStepClock();
  server = createServerDouble();
  dir = mkdtempSync(join(tmpdir(), "steppe-agent-"));
  agents = [];
});
afterEach(async () => {
  const stopped = Promise.all(agents.map((agent) => agent.stop({ drain: true })));
  // Tasks that take their time to end are given it.
  await clock.advance(10_000);
  await stopped;
  rmSync(dir, { recursive: true });
});

async function startAgent(config: Partial<ClientConfig> = {}): Promise<NodeAgent> {
  const agent = createAgent({
    config: { servers: ["a", "b"], dataDir: dir, hostEnv: { PATH: process.env.PATH ?? "" }, ...config },
    connect: server.connect,
    clock,
    random: createRandom(),
    logger: silent,
  });
  agents.push(agent);
  await agent.start();
  await settle();
  return agent;
}

const longRunning = (job: Partial<Job> = {}) => jobOf([{ Config: { run_for: "1h" } }], job);
const status = (n = 0) => server.updates.get(assignedTo(longRunning(), n).ID)?.ClientStatus;

async function push(message: Partial<NodeAllocations>): Promise<void> {
  server.streams.at(-1)?.push(message);
  await settle();
  await clock.advance(200);
}

async function pushRunning(job = longRunning(), index = 10): Promise<AssignedAllocation> {
  const assigned = assignedTo(job);
  await push({ Full: true, Index: index, Jobs: [job], Allocations: [assigned] });
  return assigned;
}

test("agent: registers what the machine has, with an identity that outlives it", async () => {
  const first = await startAgent({ datacenter: "dc7", nodeClass: "big", meta: { rack: "r1" }, reserved: { cpu: 100 } });
  await first.stop();
  const second = await startAgent();
  const [node, again] = server.registered;
  expect(node).toMatchObject({
    ID: second.nodeId,
    Datacenter: "dc7",
    NodeClass: "big",
    NodePool: "default",
    Meta: { rack: "r1" },
  });
  expect(again?.SecretID).toBe(node?.SecretID);
  expect(node?.Attributes).toMatchObject({ "kernel.name": "linux", "driver.raw_exec": "1", "nomad.version": "2.0.5" });
  expect(node?.NodeResources?.Cpu?.CpuShares).toBeGreaterThan(0);
  expect(node?.NodeResources?.Memory?.MemoryMB).toBeGreaterThan(0);
  expect(node?.ReservedResources?.Cpu?.CpuShares).toBe(100);
});

test("agent: heartbeats before half the TTL is over; told that it is unknown, registers again", async () => {
  const agent = await startAgent();
  await clock.advance(5000);
  expect(server.heartbeats).toEqual([[agent.nodeId]]);
  server.unknown = [agent.nodeId];
  await clock.advance(5000);
  expect(server.registered).toHaveLength(2);
});

test("agent: a server fails, registration and heartbeats go to the other", async () => {
  const asked: string[] = [];
  server.intercept = (method, address) => {
    asked.push(`${method} ${address}`);
    if (address === "a") throw new Error("refused");
  };
  const starting = startAgent();
  await clock.advance(1000);
  await starting;
  await clock.advance(5000);
  expect(asked).toContain("register b");
  expect(asked).toContain("heartbeat b");
});

test("agent: runs what is assigned, reports it, stops it", async () => {
  await startAgent();
  const assigned = await pushRunning();
  expect(status()).toBe("running");
  await push({ Index: 11, Allocations: [{ ...assigned, DesiredStatus: "stop", AllocModifyIndex: 11 }] });
  expect(status()).toBe("complete");
});

test("agent: complete list without an allocation, stopped and forgotten", async () => {
  const agent = await startAgent();
  await pushRunning();
  await push({ Full: true, Index: 12 });
  expect(agent.stats()).toMatchObject({ running: 0, terminal: 0, unacknowledged: 0 });
});

test("agent: complete list that is older than what it saw, nothing is stopped", async () => {
  const agent = await startAgent();
  await pushRunning(longRunning(), 50);
  server.streams.at(-1)?.fail(new Error("reset"));
  await clock.advance(1000);
  expect(server.streams).toHaveLength(2);
  await push({ Full: true, Index: 49 });
  expect(agent.stats().running).toBe(1);
  await clock.advance(10_000);
  expect(server.streams.length).toBeGreaterThan(2);
});

test("agent: in-place update, the task runs on under the new job version", async () => {
  const agent = await startAgent();
  const assigned = await pushRunning();
  const next = longRunning({ Version: 1 });
  await push({ Index: 11, Jobs: [next], Allocations: [{ ...assigned, JobVersion: 1, AllocModifyIndex: 11 }] });
  expect(agent.stats().running).toBe(1);
  expect(server.updates.get(assigned.ID)?.TaskStates.main?.Restarts).toBe(0);
});

test("agent: a replacement on the same node waits for its predecessor to end", async () => {
  await startAgent();
  const job = jobOf([{ Config: { run_for: "1h", kill_after: "3s" } }]);
  const first = await pushRunning(job);
  const second = assignedTo(job, 1, { PreviousAllocation: first.ID });
  await push({ Index: 11, Allocations: [{ ...first, DesiredStatus: "stop", AllocModifyIndex: 11 }, second] });
  expect(status(1)).toBeUndefined();
  await clock.advance(4000);
  expect([status(0), status(1)]).toEqual(["complete", "running"]);
});

test("agent: more terminal allocations than are kept, the oldest go", async () => {
  const agent = await startAgent({ gcMaxAllocs: 2 });
  const job = jobOf([{ Config: { run_for: "1s" } }], { Type: "batch" });
  const batch = (n: number) => push({ Index: 10 + n, Jobs: [job], Allocations: [assignedTo(job, n)] });
  for (let n = 0; n < 5; n++) {
    await batch(n);
    await clock.advance(2000);
  }
  expect([0, 1, 2, 3, 4].map((n) => status(n))).toEqual(Array(5).fill("complete"));
  expect(agent.stats().terminal).toBeLessThanOrEqual(3);
  await push({ Index: 20, Allocations: [assignedTo(job, 0, { ClientStatus: "running" })] });
  expect(agent.stats().running).toBe(0);
});

test("agent: an allocation whose group its job lacks is reported failed", async () => {
  await startAgent();
  const job = longRunning();
  await push({ Full: true, Index: 10, Jobs: [job], Allocations: [assignedTo(job, 0, { TaskGroup: "none" })] });
  expect(status()).toBe("failed");
});

test("agent: stopped with killTasksOnStop, tasks end and the servers are told", async () => {
  const agent = await startAgent({ killTasksOnStop: true });
  await pushRunning();
  const stopping = agent.stop();
  await clock.advance(1000);
  await stopping;
  expect(status()).toBe("complete");
  expect(clock.pending()).toBe(0);
});

test("agent: stopped, nothing of it is left waiting", async () => {
  const agent = await startAgent();
  await pushRunning();
  await agent.stop();
  expect(status()).toBe("running");
  expect(clock.pending()).toBe(0);
});

test("agent: cut off for longer than a group allows, stops its allocations and no others", async () => {
  const agent = await startAgent();
  const Disconnect = { LostAfter: undefined, StopOnClientAfter: 30e9, Replace: true, Reconcile: "best_score" };
  const cautious = jobOf([{ Config: { run_for: "1h" } }], { ID: "cautious" }, { Disconnect });
  const others = [assignedTo(cautious, 0), assignedTo(longRunning(), 1)];
  await push({ Full: true, Index: 10, Jobs: [cautious, longRunning()], Allocations: others });
  expect(agent.stats()).toMatchObject({ running: 2, terminal: 0 });
  server.intercept = () => {
    throw new Error("unreachable");
  };
  await clock.advance(20_000);
  expect(agent.stats()).toMatchObject({ running: 2, terminal: 0 });
  await clock.advance(30_000);
  expect(agent.stats()).toMatchObject({ running: 1, terminal: 1 });
});
