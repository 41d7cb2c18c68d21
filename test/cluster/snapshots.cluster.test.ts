// Proves that a region's state, saved by the operator's command, comes back by it under a larger index,
// and that whoever waits for a change learns of it. Catches: a restore that some server or worker
// misses, an index that goes back, a damaged file that is taken.
import { execFile } from "node:child_process";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { call, eventually, type Json } from "../kit/api.ts";
import { type Agent, Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";

const STEPPE = join(import.meta.dirname, "../../bin/steppe");
const LIMIT_MS = 60_000;

const steppe = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await promisify(execFile)(STEPPE, args).catch((error: { stderr: string }) => {
    throw new Error(error.stderr);
  });
  return stdout + stderr;
};

async function register(server: Agent, id: string): Promise<number> {
  const { status, body } = await call("PUT", `${server.http}/v1/job/${id}`, { Job: mockTaskJob(id) });
  expect(status, String(body)).toBe(200);
  return body.JobModifyIndex;
}

async function expectJobs(server: Agent, ids: readonly string[]): Promise<number> {
  return await eventually(`${server.name} has ${ids.join(" and ")}`, LIMIT_MS, async () => {
    const jobs = await call<Json[]>("GET", `${server.http}/v1/jobs?consistent`);
    if (jobs.status !== 200) throw new Error(`${jobs.status} ${String(jobs.body)}`);
    expect(jobs.body.map(({ ID }) => ID).sort()).toEqual([...ids].sort());
    return jobs.index;
  });
}

test.each([
  { kind: "embedded log", embedded: true, servers: 1 },
  { kind: "JetStream", embedded: false, servers: 2 },
])(
  "snapshot saved and restored on the $kind: the state of then, under a larger index ($servers servers)",
  async ({ embedded, servers: count }) => {
    await using cluster = await Cluster.create({ embedded });
    const region = await cluster.addRegion({ name: "us", servers: count, workers: 1, clients: 0 });
    const [first] = region.servers as [Agent];
    const file = join(cluster.folder, "us.snapshot");
    await register(first, "kept");
    expect(await steppe("operator", "snapshot", "save", "-address", first.http, file)).toContain(
      "saved region us at index",
    );
    expect(await steppe("operator", "snapshot", "inspect", file)).toMatch(/jobs +1\n/);
    const last = await register(first, "dropped");
    const waiting = call<Json[]>("GET", `${first.http}/v1/jobs?index=${last}&wait=50s`, undefined, {
      timeoutMs: LIMIT_MS,
    });

    const damaged = `${file}-damaged`;
    await copyFile(file, damaged);
    const bytes = await readFile(damaged);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1;
    await writeFile(damaged, bytes);
    await expect(steppe("operator", "snapshot", "restore", "-address", first.http, damaged)).rejects.toThrow(
      "is damaged",
    );
    const refused = await fetch(`${first.http}/v1/operator/snapshot`, { method: "PUT", body: bytes });
    expect(refused.status).toBe(400);
    await expectJobs(first, ["kept", "dropped"]);

    expect(await steppe("operator", "snapshot", "restore", "-address", first.http, file)).toContain("goes on at index");
    // Whoever waited is told, by the change or by 503, to ask again.
    expect([200, 503]).toContain((await waiting).status);
    for (const server of region.servers) expect(await expectJobs(server, ["kept"])).toBeGreaterThan(last);
    const later = await eventually("it takes writes", LIMIT_MS, () => register(first, "later"));
    expect(later).toBeGreaterThan(last + 1000);
    await eventually("a worker decides", LIMIT_MS, async () => {
      const { body } = await call<Json[]>("GET", `${first.http}/v1/job/later/evaluations`);
      if (!body.some(({ Status }) => Status === "complete")) throw new Error(JSON.stringify(body));
    });
  },
  200_000,
);

test("log rebuild by an operator: too few servers are left, the one that is asked rebuilds (3 servers, 1 NATS node)", async () => {
  await using cluster = await Cluster.create({ embedded: false, serverOptions: "bootstrap_expect = 3" });
  const region = await cluster.addRegion({ name: "us", servers: 0, workers: 0, clients: 0 });
  await Promise.all([1, 2, 3].map(() => cluster.addServer(region)));
  const [a, b, c] = region.servers as [Agent, Agent, Agent];
  const last = await register(a, "kept");
  // All have it before two of them go for good.
  for (const server of region.servers) await expectJobs(server, ["kept"]);
  await Promise.all([b.kill(), c.kill(), region.nats?.kill()]);
  await rm(region.nats?.storeDir ?? "", { recursive: true });
  await region.nats?.restart();

  const dataDir = join(cluster.folder, "us", a.name, "data");
  await eventually("its status tells why", LIMIT_MS, async () => {
    expect(await steppe("operator", "log", "status", "-data-dir", dataDir)).toContain("1 of 3 servers");
  });
  await steppe("operator", "log", "rebuild", "-data-dir", dataDir);
  expect(await expectJobs(a, ["kept"])).toBeGreaterThanOrEqual(last);
  const status = await steppe("operator", "log", "status", "-data-dir", dataDir);
  expect(status).toMatch(/status +following\n/);
  expect(status).toMatch(/log epoch +1\n/);
}, 200_000);

test("snapshot saved and restored through a server of another region (2 regions)", async () => {
  await using cluster = await Cluster.create();
  const us = await cluster.addRegion({ name: "us", servers: 1, workers: 0, clients: 0 });
  const eu = await cluster.addRegion({ name: "eu", servers: 1, workers: 0, clients: 0 });
  const [near, far] = [us.servers[0], eu.servers[0]] as [Agent, Agent];
  const file = join(cluster.folder, "eu.snapshot");
  await eventually("the other region is known", LIMIT_MS, async () => {
    expect((await call("GET", `${near.http}/v1/jobs?region=eu`)).status).toBe(200);
  });
  await register(far, "kept");
  const about = await steppe("operator", "snapshot", "save", "-address", near.http, "-region", "eu", file);
  expect(about).toContain("saved region eu at index");
  const last = await register(far, "dropped");
  const refused = steppe("operator", "snapshot", "restore", "-address", near.http, file);
  await expect(refused).rejects.toThrow("the snapshot is of region eu, this one is us");
  expect(await steppe("operator", "snapshot", "restore", "-address", near.http, "-region", "eu", file)).toContain(
    "the region goes on at index",
  );
  expect(await expectJobs(far, ["kept"])).toBeGreaterThan(last);
  // What is saved right after is the file that was made of it, and says of which region it is.
  const again = await steppe("operator", "snapshot", "save", "-address", near.http, "-region", "eu", `${file}2`);
  expect(again).toContain("saved region eu at index");
}, 180_000);
