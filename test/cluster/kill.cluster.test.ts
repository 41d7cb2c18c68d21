// Proves promise 1: an acknowledged registration is never lost and takes effect once, while a
// server, a worker and the nats-server are killed (-9). Catches: acknowledging before the log has
// the entry, deduplication that forgets, a retry that registers again, a worker whose evaluation
// is never delivered again.
import { expect, test } from "vitest";
import { call, eventually, type Json } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const JOBS = 1000;
const CONCURRENCY = 16;

test("kill -9 of a server, a worker and the nats-server during 1,000 registrations, loses none and doubles none (1 region, 3 servers)", async () => {
  await using cluster = await Cluster.create({ embedded: false });
  const region = await cluster.addRegion({ name: "us", servers: 3, workers: 2, clients: 0 });
  await cluster.addSimulatedNodes(region, 50);
  const [victim, ...survivors] = region.servers;
  const events: [at: number, act: () => Promise<unknown>][] = [
    [250, async () => victim?.kill()],
    [450, async () => region.workers[0]?.kill()],
    [650, async () => region.nats?.kill()],
    [650, async () => region.nats?.restart()],
  ];
  const happening: Promise<unknown>[] = [];
  let acknowledged = 0;
  let next = 0;
  let chain: Promise<unknown> = Promise.resolve();

  async function register(n: number): Promise<void> {
    const id = `job-${n}`;
    await eventually(`${id} is registered`, 60_000, async () => {
      const server = region.servers[Math.floor(Math.random() * region.servers.length)];
      const headers = { "Idempotency-Key": `register-${n}` };
      const answer = await call("PUT", `${server?.http}/v1/job/${id}`, { Job: mockTaskJob(id) }, { headers });
      if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)}`);
    });
    acknowledged += 1;
    while (events[0] !== undefined && acknowledged >= events[0][0]) {
      const act = events.shift()?.[1];
      chain = chain.then(act);
      happening.push(chain);
    }
  }
  async function client(): Promise<void> {
    while (next < JOBS) await register(next++);
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  await Promise.all(happening);

  expect(events).toHaveLength(0);
  const http = survivors[0]?.http;
  const jobs = await call("GET", `${http}/v1/jobs?consistent`);
  expect(jobs.body).toHaveLength(JOBS);
  const evaluations = await eventually("every evaluation has ended", 90_000, async () => {
    const { body } = await call<Json[]>("GET", `${http}/v1/evaluations?consistent`);
    const open = body.filter((it) => it.Status === "pending");
    if (open.length > 0)
      throw new Error(`${open.length} evaluations are open, the first is ${JSON.stringify(open[0])}`);
    return body;
  });
  const registrations = evaluations.filter((it) => it.TriggeredBy === "job-register");
  expect(registrations).toHaveLength(JOBS);
  expect(new Set(registrations.map((it) => it.JobID)).size).toBe(JOBS);
  for (const survivor of survivors) {
    const { body } = await call("GET", `${survivor.http}/v1/job/job-999`);
    expect(body.Version).toBe(0);
  }
  const allocations = await call<Json[]>("GET", `${http}/v1/allocations?consistent`);
  const wanted = allocations.body.filter((it) => it.DesiredStatus === "run");
  expect(new Set(wanted.map((it) => it.Name)).size).toBe(wanted.length);
  expect(wanted).toHaveLength(JOBS);
}, 240_000);
