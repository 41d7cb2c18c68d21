// Registering distinct jobs with one server, and where its time goes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call } from "../kit/api.ts";
import type { Agent } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { cpuMs } from "./live/processes.ts";
import { type Log, natsPids, regionOn } from "./live/region.ts";
import { atRest } from "./live/rest.ts";
import { ROUNDS, rounds, SECONDS } from "./live/rounds.ts";
import { sharesOf } from "./live/server-profile.ts";
import { needWrk, wrk } from "./live/wrk.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

const CONCURRENCY = [1, 32, 256] as const;
const SUSTAINED = 32;
/** V8 compiles for about so long; in its first seconds a server does some 60 % of what it does later. */
const WARM_UP_SECONDS = 10;
/** Without a pause, in lengths of a round: evaluations pile up, and snapshots are made meanwhile. */
const SUSTAINED_ROUNDS = 15;
const BODY = JSON.stringify({ Job: mockTaskJob("@") });

export const register: Scenario = {
  name: "register",
  summary: "PUT of distinct jobs to one server: embedded log, and JetStream on three nodes; where the time goes",
  async run() {
    needWrk();
    const logs: Log[] = ["embedded", "R3"];
    const rates: Table["rows"] = [];
    for (const log of logs) rates.push(...(await ratesOf(log)));
    return [
      {
        title: "Register distinct jobs",
        columns: ["log", "at once", "jobs/s", "p50 ms", "p99 ms", "server CPU µs each", "NATS CPU µs each"],
        rows: rates,
      },
      await whereTimeGoes(logs),
    ];
  },
};

async function ratesOf(log: Log): Promise<Table["rows"]> {
  const rows: Table["rows"] = [];
  for (const concurrency of CONCURRENCY) {
    const row = async (title: string, count: number, seconds: number) => {
      const { perSecond, p50Ms, p99Ms, ...cpu } = await rounds(count, () => loadOfOwn(log, concurrency, seconds));
      rows.push([log, title, perSecond, p50Ms, p99Ms, cpu.server, log === "R3" ? cpu.nats : "–"]);
    };
    await row(String(concurrency), ROUNDS, SECONDS);
    const long = SECONDS * SUSTAINED_ROUNDS;
    if (concurrency === SUSTAINED) await row(`${concurrency}, for ${long} s`, 1, long);
  }
  return rows;
}

/** Each round has a region of its own: what one does depends on the start, for as long as it lives, by a fifth. */
async function loadOfOwn(log: Log, concurrency: number, seconds: number) {
  await using live = await regionOn(log);
  const { region, server } = live;
  const nats = natsPids(region);
  await load(server, "warm", concurrency, WARM_UP_SECONDS);
  await atRest(server);
  const before = [cpuMs([server.pid]), cpuMs(nats)] as const;
  const { requests, perSecond, p50Ms, p99Ms } = await load(server, "measured", concurrency, seconds);
  const each = (after: number, before: number) => ((after - before) * 1e3) / requests;
  return {
    perSecond,
    p50Ms,
    p99Ms,
    server: each(cpuMs([server.pid]), before[0]),
    nats: each(cpuMs(nats), before[1]),
  };
}

const load = (server: Agent, prefix: string, concurrency: number, seconds: number) =>
  wrk({
    url: `${server.http}/v1/jobs`,
    concurrency,
    seconds,
    register: { prefix: `${prefix}-${concurrency}`, body: BODY },
  });

/** Shares of the busy time of the server's main thread, by part, from a profile. */
async function whereTimeGoes(logs: readonly Log[]): Promise<Table> {
  const columns: { log: string; shares: ReadonlyMap<string, number>; idle: number }[] = [];
  for (const log of logs) {
    const folder = mkdtempSync(join(tmpdir(), "steppe-profile-"));
    await using live = await regionOn(log, { environment: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` } });
    const { server } = live;
    await load(server, "profile", 32, WARM_UP_SECONDS + SECONDS);
    const leader = await call<string>("GET", `${server.http}/v1/status/leader`);
    if (leader.status !== 200) throw new Error(`the server answers ${leader.status} after the load`);
    await server.stop(30_000);
    const { parts, idle } = sharesOf(folder);
    rmSync(folder, { recursive: true });
    columns.push({ log, shares: parts, idle });
  }
  const names = [...new Set(columns.flatMap(({ shares }) => [...shares.keys()]))];
  const first = columns[0]?.shares;
  names.sort((a, b) => (first?.get(b) ?? 0) - (first?.get(a) ?? 0));
  const percent = (share: number) => `${figure(share * 100)} %`;
  return {
    title: "Where the time of the server's main thread goes, 32 at once",
    columns: ["part", ...columns.map(({ log }) => log)],
    rows: [
      ...names.map((name) => [name, ...columns.map(({ shares }) => percent(shares.get(name) ?? 0))]),
      ["(idle, of all time)", ...columns.map(({ idle }) => percent(idle))],
    ],
  };
}
