// Real processes, on the machine's clock: each wait is for a process or an update to come about.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AllocationUpdate, Job } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAgent, type NodeAgent } from "./agent.ts";
import { processStart } from "./drivers/process-table.ts";
import { assignedTo, jobOf, silent } from "./testing/fixtures.ts";
import { createServerDouble, type ServerDouble } from "./testing/server-double.ts";

let server: ServerDouble;
let dir: string;
let agents: NodeAgent[];

beforeEach(() => {
  server = createServerDouble();
  dir = mkdtempSync(join(tmpdir(), "steppe-agent-"));
  agents = [];
});
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop({ drain: true })));
  rmSync(dir, { recursive: true });
});

async function startAgent(): Promise<NodeAgent> {
  const agent = createAgent({
    config: { servers: ["a"], dataDir: dir, hostEnv: { PATH: process.env.PATH ?? "" } },
    connect: server.connect,
    clock: createClock(),
    random: createRandom(),
    logger: silent,
  });
  agents.push(agent);
  await agent.start();
  return agent;
}

const update = (n: number) => server.updates.get(assignedTo(rawJob(""), n).ID) as AllocationUpdate | undefined;
const status = (n: number) => update(n)?.ClientStatus;
const until = (check: () => void) => vi.waitFor(check, { timeout: 8000, interval: 20 });

function rawJob(script: string): Job {
  return jobOf([{ Driver: "raw_exec", Config: { command: "/bin/sh", args: ["-c", script] } }], { Type: "batch" });
}

test("agent: restarted, takes up a process that runs on and learns how one ended meanwhile", async () => {
  const first = await startAgent();
  const job = rawJob(
    'echo $$ > "$NOMAD_TASK_DIR/pid"; [ "$NOMAD_ALLOC_INDEX" = 0 ] && exec sleep 300; sleep 0.3; exit 6',
  );
  server.streams[0]?.push({
    Full: true,
    Index: 10,
    Jobs: [job],
    Allocations: [assignedTo(job, 0), assignedTo(job, 1)],
  });
  const pidOf = (n: number) =>
    Number(readFileSync(join(dir, "alloc", assignedTo(job, n).ID, "main/local/pid"), "utf8"));
  await until(() =>
    expect([status(0), status(1), pidOf(0) > 0, pidOf(1) > 0]).toEqual(["running", "running", true, true]),
  );
  await first.stop();
  const pid = pidOf(0);
  await until(() => expect(processStart(pidOf(1))).toBeUndefined());
  expect(processStart(pid)).toBeDefined();

  server.updates.clear();
  const second = await startAgent();
  await until(() => expect([status(0), status(1)]).toEqual(["running", "failed"]));
  expect(update(1)?.TaskStates.main?.Events.map((event) => event.DisplayMessage)).toContain("Exit Code: 6");
  await second.stop({ drain: true });
  expect(processStart(pid)).toBeUndefined();
}, 20_000);
