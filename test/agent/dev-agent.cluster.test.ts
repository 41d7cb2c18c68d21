// `steppe agent -dev` as a user meets it: the calls of the document this project started from, by
// real HTTP, and what a restart keeps.
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SEED_JOB } from "@steppe/model/internal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { type Started, start } from "../kit/process.ts";

const STEPPE = join(dirname(fileURLToPath(import.meta.url)), "../../bin/steppe");

async function devAgent(...args: string[]): Promise<{ process: Started; http: string }> {
  const process = start("dev", STEPPE, ["agent", "-dev", "-log-json", "-http-port", "0", "-rpc-port", "0", ...args]);
  const ready = await process.line((line) => line.msg === "agent started", 30_000);
  return { process, http: `http://${String(ready.http)}` };
}

const SEED_ID = "binstore-storagelocker";
const allRunning = (list: Json[]) => list.length > 0 && list.every((it) => it.ClientStatus === "running");

/** The environment of the process that has this variable. */
function environOf(name: string, value: string): Record<string, string> {
  for (const pid of readdirSync("/proc").filter((it) => /^\d+$/.test(it))) {
    const env = readEnviron(pid);
    if (env[name] === value) return env;
  }
  return {};
}

/** Empty for a process that is gone or not ours. */
function readEnviron(pid: string): Record<string, string> {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return Object.fromEntries(pairs.map((it) => [it.slice(0, it.indexOf("=")), it.slice(it.indexOf("=") + 1)]));
  } catch {
    return {};
  }
}

describe("dev agent", () => {
  let agent: Awaited<ReturnType<typeof devAgent>>;
  beforeAll(async () => {
    agent = await devAgent();
  }, 40_000);
  afterAll(async () => agent.process.stop());

  test("the seed document's job, registers, reads back and shows its evaluation", async () => {
    const url = `${agent.http}/v1/job/${SEED_ID}`;
    const put = await call("PUT", url, { Job: SEED_JOB });
    expect(put.status).toBe(200);
    expect(Object.keys(put.body)).toEqual(expect.arrayContaining(["EvalID", "EvalCreateIndex", "JobModifyIndex"]));
    expect(put.index).toBe(put.body.EvalCreateIndex);
    const get = await call("GET", url);
    expect(get.body).toMatchObject({ ID: SEED_ID, Type: "service", Priority: 50, Meta: { foo: "bar" } });
    expect(get.headers.get("x-nomad-knownleader")).toBe("true");
    expect(get.headers.get("x-nomad-lastcontact")).toBe("0");
    const [evaluation] = (await call("GET", `${url}/evaluations`)).body;
    expect(evaluation).toMatchObject({
      ID: put.body.EvalID,
      TriggeredBy: "job-register",
      JobID: SEED_ID,
      NextEval: "",
    });
    expect((await call("GET", `${url}/allocations`)).body).toEqual([]);
    expect((await call("POST", `${url}/evaluate`)).body.JobModifyIndex).toBeGreaterThan(0);
    const force = await call("PUT", `${url}/periodic/force`);
    expect([force.status, force.body]).toEqual([500, "can't force launch non-periodic job"]);
    const gone = await call("DELETE", url);
    expect(gone.body.EvalID).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("what follows from a registration comes after its index: clients wait from there", async () => {
    const put = await call("PUT", `${agent.http}/v1/jobs`, { Job: mockTaskJob("waited-for") });
    const { EvalID, EvalCreateIndex } = put.body;
    // As long as a client's own default; an answer that comes with the time is none.
    const waiting = (index: number) => `index=${index}&wait=5m`;
    const [evaluation, allocations] = await Promise.all([
      call("GET", `${agent.http}/v1/evaluation/${EvalID}?${waiting(EvalCreateIndex)}`),
      call("GET", `${agent.http}/v1/job/waited-for/allocations?${waiting(put.index)}`),
    ]);
    expect(evaluation.body).toMatchObject({ Status: "complete", CreateIndex: EvalCreateIndex });
    expect(evaluation.index).toBeGreaterThan(EvalCreateIndex);
    expect(allocations.body).toHaveLength(1);
    expect(allocations.index).toBeGreaterThan(put.index);
    await call("DELETE", `${agent.http}/v1/job/waited-for?purge=true`);
  });

  test("a job with slashes and spaces in its percent-encoded ID, works in every call", async () => {
    const url = `${agent.http}/v1/job/${encodeURIComponent("team/a/web+é")}`;
    const put = await call("PUT", url, { Job: mockTaskJob("team/a/web+é") });
    expect(put.status).toBe(200);
    const { body } = await watchUntil<Json[]>(`${url}/allocations`, allRunning, 20_000);
    expect(body[0].Name).toBe("team/a/web+é.group[0]");
    expect((await call("GET", `${agent.http}/v1/job/team/a/web+%C3%A9`)).body.ID).toBe("team/a/web+é");
  });

  test("ports: shown by the allocation, told to its task, and refused to the next one that wants them", async () => {
    const command = { command: "/bin/sleep", args: ["600"] };
    const Networks = [{ ReservedPorts: [{ Label: "http", Value: 18080 }], DynamicPorts: [{ Label: "rpc" }] }];
    const parts = { driver: "raw_exec", config: command, group: { Networks } };
    const url = `${agent.http}/v1/job/ports`;
    await call("PUT", url, { Job: mockTaskJob("ports", parts) });
    const { body } = await watchUntil<Json[]>(`${url}/allocations`, allRunning, 20_000);
    const { Shared } = (await call("GET", `${agent.http}/v1/allocation/${body[0].ID}`)).body.AllocatedResources;
    const [http, rpc] = Shared.Ports;
    expect(http).toMatchObject({ Label: "http", Value: 18080 });
    expect(rpc.Value).toBeGreaterThanOrEqual(20_000);
    expect(Shared.Networks[0]).toMatchObject({ IP: http.HostIP, DynamicPorts: [{ Label: "rpc", Value: rpc.Value }] });
    expect(environOf("NOMAD_ALLOC_ID", body[0].ID)).toMatchObject({
      NOMAD_PORT_http: "18080",
      NOMAD_ADDR_rpc: `${rpc.HostIP}:${rpc.Value}`,
    });
    const second = `${agent.http}/v1/job/ports-2`;
    const { EvalID } = (await call("PUT", second, { Job: mockTaskJob("ports-2", parts) })).body;
    const failed = (evaluation: Json) => evaluation.FailedTGAllocs?.group !== undefined;
    const waiting = await watchUntil<Json>(`${agent.http}/v1/evaluation/${EvalID}`, failed, 20_000);
    expect(waiting.body.FailedTGAllocs.group.DimensionExhausted).toEqual({
      "network: reserved port collision http=18080": 1,
    });
    for (const it of [second, url]) await call("DELETE", `${it}?purge=true`);
  });

  test("a wrong compare-and-set index, changes nothing; the right one works", async () => {
    const url = `${agent.http}/v1/job/cas`;
    const first = await call("PUT", url, { Job: mockTaskJob("cas"), EnforceIndex: true, JobModifyIndex: 0 });
    const wrong = await call("PUT", url, {
      Job: { ...mockTaskJob("cas"), Priority: 70 },
      EnforceIndex: true,
      JobModifyIndex: 1,
    });
    expect(wrong.status).toBe(500);
    expect(wrong.body).toMatch(/^Enforcing job modify index 1: job exists with conflicting job modify index: \d+$/);
    const JobModifyIndex = first.body.JobModifyIndex;
    const right = await call("PUT", url, {
      Job: { ...mockTaskJob("cas"), Priority: 70 },
      EnforceIndex: true,
      JobModifyIndex,
    });
    expect(right.status).toBe(200);
    expect((await call("GET", url)).body).toMatchObject({ Priority: 70, Version: 1 });
  });

  test("scale up, scale down and a destructive update, end with the right allocations", async () => {
    const url = `${agent.http}/v1/job/shape`;
    const wanted = (count: number, version: number) => (list: Json[]) => {
      const live = list.filter((it) => it.DesiredStatus === "run" && it.ClientStatus === "running");
      return live.length === count && live.every((it) => it.JobVersion === version);
    };
    await call("PUT", url, { Job: mockTaskJob("shape", { count: 2 }) });
    await watchUntil<Json[]>(`${url}/allocations`, wanted(2, 0), 20_000);
    await call("PUT", url, { Job: mockTaskJob("shape", { count: 4 }) });
    await watchUntil<Json[]>(`${url}/allocations`, wanted(4, 1), 20_000);
    await call("PUT", url, { Job: mockTaskJob("shape", { count: 1 }) });
    await watchUntil<Json[]>(`${url}/allocations`, wanted(1, 2), 20_000);
    const update = { Update: { MaxParallel: 0 } };
    await call("PUT", url, { Job: mockTaskJob("shape", { count: 1, config: { run_for: "2h" }, group: update }) });
    await watchUntil<Json[]>(`${url}/allocations`, wanted(1, 3), 20_000);
  });

  test("a batch job whose task fails, is tried again as its policy says and then given up", async () => {
    const url = `${agent.http}/v1/job/failing`;
    const group = {
      RestartPolicy: { Attempts: 0, Interval: 60e9, Delay: 1e9, Mode: "fail" },
      ReschedulePolicy: { Attempts: 1, Interval: 3600e9, Delay: 5e9, DelayFunction: "constant", Unlimited: false },
    };
    await call("PUT", url, {
      Job: mockTaskJob("failing", { type: "batch", config: { run_for: "10ms", exit_code: 1 }, group }),
    });
    const twice = (list: Json[]) => list.length === 2 && list.every((it) => it.ClientStatus === "failed");
    const { body } = await watchUntil<Json[]>(`${url}/allocations`, twice, 40_000);
    const second = body.find((it) => it.RescheduleTracker !== null);
    expect(second.RescheduleTracker.Events).toHaveLength(1);
    await watchUntil(url, (job) => job.Status === "dead", 10_000);
  }, 60_000);

  test("a periodic job, launches children on its cron and by force", async () => {
    const url = `${agent.http}/v1/job/ticking`;
    const job = { Periodic: { Enabled: true, SpecType: "cron", Spec: "*/1 * * * * * *" } };
    const put = await call("PUT", url, {
      Job: mockTaskJob("ticking", { type: "batch", config: { run_for: "10ms" }, job }),
    });
    expect(put.body.EvalID).toBe("");
    const forced = await call("PUT", `${url}/periodic/force`);
    expect(forced.body.EvalID).toMatch(/^[0-9a-f-]{36}$/);
    const children = `${agent.http}/v1/jobs?prefix=ticking/periodic-`;
    const { body } = await watchUntil<Json[]>(children, (list) => list.length >= 4, 20_000);
    expect(new Set(body.map((child) => child.ID)).size).toBe(body.length);
    await call("DELETE", `${url}?purge=true`);
  }, 40_000);

  test("a second agent on the same port, ends with a clear error", async () => {
    const port = new URL(agent.http).port;
    const second = start("second", STEPPE, ["agent", "-dev", "-http-port", port, "-rpc-port", "0"]);
    const line = await second.line(({ msg }) => msg.includes("EADDRINUSE"), 20_000);
    expect(line.msg).toContain(`address already in use 127.0.0.1:${port}`);
    await second.ended;
    expect(second.child.exitCode).toBe(1);
  });

  test("malformed requests, get a 4xx and change nothing", async () => {
    const before = (await call("GET", `${agent.http}/v1/jobs`)).body.length;
    const url = `${agent.http}/v1/job/bad`;
    for (const body of [
      "{",
      "[]",
      '"text"',
      '{"Job":5}',
      '{"Job":{"ID":"bad","TaskGroups":"none"}}',
      '{"Job":{"ID":"other"}}',
    ]) {
      const { status } = await call("PUT", url, body);
      expect([body, status]).toEqual([body, 400]);
    }
    const large = await call("PUT", url, `{"Job":{"ID":"bad","Meta":{"a":"${"x".repeat(6 * 1024 * 1024)}"}}}`).catch(
      () => undefined,
    );
    expect(large === undefined || large.status === 413).toBe(true);
    expect((await call("GET", `${agent.http}/v1/jobs`)).body).toHaveLength(before);
  });
});

test("an agent with a data directory, killed (-9) and started again, has all it acknowledged", async () => {
  const folder = await mkdtemp(join(tmpdir(), "steppe-dev-test-"));
  try {
    const first = await devAgent("-data-dir", folder);
    for (let n = 0; n < 20; n++) await call("PUT", `${first.http}/v1/job/job-${n}`, { Job: mockTaskJob(`job-${n}`) });
    const { index } = await call("GET", `${first.http}/v1/jobs`);
    await first.process.kill();
    const second = await devAgent("-data-dir", folder);
    const jobs = await eventually("the agent answers", 10_000, () => call("GET", `${second.http}/v1/jobs`));
    expect(jobs.body).toHaveLength(20);
    expect(jobs.index).toBeGreaterThanOrEqual(index);
    await second.process.stop();
    expect(second.process.lines.at(-1)?.msg).toBe("agent stopped");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
