import { deriveId } from "@steppe/model";
import type { NodeAllocations } from "@steppe/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type SimulatedNodes, type SimulateOptions, simulateNodes } from "./simulated-nodes.ts";
import { assignedTo, jobOf, seededRandom, silent } from "./testing/fixtures.ts";
import { createServerDouble, type ServerDouble } from "./testing/server-double.ts";
import { createStepClock, type StepClock, settle } from "./testing/step-clock.ts";

let clock: StepClock;
let server: ServerDouble;
let nodes: SimulatedNodes;

beforeEach(() => {
  clock = createStepClock();
  server = createServerDouble();
});
afterEach(() => nodes.stop());

async function start(options: Partial<SimulateOptions> = {}): Promise<void> {
  nodes = simulateNodes({
    connect: server.connect,
    servers: ["a"],
    count: 3,
    cpu: 16_000,
    memoryMb: 32_768,
    seed: new Uint8Array(16).fill(3),
    clock,
    random: seededRandom(),
    logger: silent,
    ...options,
  });
  await nodes.start();
  await settle();
}

async function push(message: Partial<NodeAllocations>): Promise<void> {
  server.streams[0]?.push(message);
  await settle();
  await clock.advance(50);
}

const batch = jobOf([{ Config: { run_for: "10s", exit_code: 1 } }], { Type: "batch" });
const service = jobOf([{ Config: {} }], {}, { Update: {} });
const status = (n = 0) => server.updates.get(assignedTo(service, n).ID)?.ClientStatus;

test("simulated nodes: registered in turn over datacenters, the same for the same seed, heartbeats together", async () => {
  await start({ datacenters: ["dc1", "dc2"], classes: ["big"], attributes: { "os.name": "alpine" } });
  expect(server.registered.map((node) => `${node.Name} ${node.Datacenter} ${node.NodeClass}`)).toEqual([
    "sim-0 dc1 big",
    "sim-1 dc2 big",
    "sim-2 dc1 big",
  ]);
  expect(server.registered[0]).toMatchObject({
    ID: deriveId(new Uint8Array(16).fill(3), 0),
    NodeResources: { Cpu: { CpuShares: 16_000 } },
  });
  expect(server.registered[0]?.Attributes).toMatchObject({ "os.name": "alpine", "driver.mock_driver": "1" });
  await clock.advance(5000);
  expect(server.heartbeats).toEqual([nodes.nodeIds]);
});

test("simulated nodes: many, on few streams", async () => {
  await start({ count: 1200 });
  expect(server.streams.map((stream) => stream.nodeIds.length).sort()).toEqual([200, 500, 500]);
  expect(new Set(server.registered.map((node) => node.ID)).size).toBe(1200);
});

test("simulated nodes: pending is told running and healthy at once, stopped is told complete", async () => {
  await start();
  await push({ Full: true, Index: 10, Jobs: [service], Allocations: [assignedTo(service)] });
  const update = server.updates.get(assignedTo(service).ID);
  expect(update).toMatchObject({ ClientStatus: "running", DeploymentStatus: { Healthy: true } });
  expect(update?.TaskStates.main?.State).toBe("running");
  await push({ Index: 11, Allocations: [assignedTo(service, 0, { DesiredStatus: "stop", ClientStatus: "running" })] });
  expect(status()).toBe("complete");
});

test("simulated nodes: a deployment waits to hear of what runs, it is told; it knows, nothing is", async () => {
  await start();
  const part = { ClientStatus: "running", DeploymentID: "d" };
  const known = { Healthy: true, Timestamp: 1, Canary: false, ModifyIndex: 1 };
  const waiting = assignedTo(service, 0, part);
  const done = assignedTo(service, 1, { ...part, DeploymentStatus: known });
  await push({ Full: true, Index: 10, Jobs: [service], Allocations: [waiting, done] });
  expect(server.updates.get(waiting.ID)).toMatchObject({ DeploymentID: "d", DeploymentStatus: { Healthy: true } });
  expect(status(1)).toBeUndefined();
});

test("simulated nodes: run_for and exit_code are heeded, also for what ran before a reconnection", async () => {
  await start();
  const running = assignedTo(batch, 1, { ClientStatus: "running" });
  await push({ Full: true, Index: 10, Jobs: [batch], Allocations: [assignedTo(batch, 0), running] });
  await clock.advance(9800);
  expect([status(0), status(1)]).toEqual(["running", undefined]);
  await clock.advance(400);
  expect([status(0), status(1)]).toEqual(["failed", "failed"]);
});

test("simulated nodes: a burst goes out in batches of a thousand, nothing is kept of it", async () => {
  await start();
  const many = Array.from({ length: 5000 }, (_, n) => assignedTo(service, n));
  await push({ Full: true, Index: 10, Jobs: [service], Allocations: many });
  await clock.advance(1000);
  expect(Math.max(...server.reported)).toBe(1000);
  expect(server.updates.size).toBe(5000);
  expect(nodes.stats()).toMatchObject({ started: 5000, unacknowledged: 0, acknowledged: 5000 });
});
