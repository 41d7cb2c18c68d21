// Registrations that were acknowledged, and whether every server of a region has them: for tests that take away what NATS holds.
import { expect } from "vitest";
import { call, eventually, type Json } from "./api.ts";
import { type Agent, Cluster, type ClusterOptions, type Region } from "./cluster.ts";
import { mockTaskJob } from "./jobs.ts";

/** Longer than it takes to notice that a log is lost, to rebuild it, and to start again on it. */
export const SETTLED_MS = 90_000;

/** Three servers that agree before they rebuild, and a worker; `ready` is called when NATS runs and they do not yet. */
export async function startRegion(
  cluster: Cluster,
  nats: 1 | 3,
  ready?: (region: Region) => Promise<void>,
): Promise<Region> {
  const region = await cluster.addRegion({ name: "us", servers: 0, workers: 0, clients: 0, natsNodes: nats });
  await ready?.(region);
  await Promise.all([1, 2, 3].map(() => cluster.addServer(region)));
  await cluster.addWorker(region);
  return region;
}

export const create = (options: ClusterOptions = {}) =>
  Cluster.create({ embedded: false, serverOptions: "bootstrap_expect = 3", ...options });

/** Registers jobs, each through another server; resolves with the largest index that was told. */
export async function register(servers: readonly Agent[], ids: readonly string[]): Promise<number> {
  let index = 0;
  for (const [n, id] of ids.entries()) {
    const server = servers[n % servers.length];
    const headers = { "Idempotency-Key": `register-${id}` };
    const body = await eventually(`${id} is registered`, SETTLED_MS, async () => {
      const answer = await call("PUT", `${server?.http}/v1/job/${id}`, { Job: mockTaskJob(id) }, { headers });
      if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)}`);
      return answer.body;
    });
    index = Math.max(index, body.JobModifyIndex);
  }
  return index;
}

export const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

/** Every server has exactly these jobs, and its index is past `index`. */
export async function expectJobs(servers: readonly Agent[], ids: readonly string[], index: number): Promise<void> {
  for (const server of servers) {
    const jobs = await eventually(`${server.name} serves`, SETTLED_MS, async () => {
      const answer = await call<Json[]>("GET", `${server.http}/v1/jobs?consistent`);
      if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)}`);
      return answer;
    });
    expect(jobs.body.map(({ ID }) => ID).sort()).toEqual([...ids].sort());
    expect(jobs.index).toBeGreaterThanOrEqual(index);
  }
}

export async function stopNats({ natsServers }: Region): Promise<void> {
  await Promise.all(natsServers.map((server) => server.kill()));
}

export async function startNats({ natsServers }: Region): Promise<void> {
  await Promise.all(natsServers.map((server) => server.restart()));
}

export async function evaluated({ servers, workers }: Region, jobId: string): Promise<void> {
  await eventually(`a worker decides on ${jobId}`, SETTLED_MS, async () => {
    const { body } = await call<Json[]>("GET", `${servers[0]?.http}/v1/job/${jobId}/evaluations`);
    if (body.some(({ Status }) => Status === "complete")) return;
    const lines = workers.flatMap((worker) => worker.lines.slice(-10).map((line) => JSON.stringify(line)));
    throw new Error(`${JSON.stringify(body)}\n${lines.join("\n")}`);
  });
}
