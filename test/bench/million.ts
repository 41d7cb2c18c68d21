// Many allocations through the whole path, as the challenges of 2016 (C1M) and 2020 (C2M) had it:
// HTTP, log, broker, worker, plan, apply, and simulated node agents that report them running.
import type { Region } from "../kit/cluster.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { pause, running } from "./evaluation.ts";
import { cpuMs, PeakMemory, residentMb } from "./live/processes.ts";
import { addRegion, firstServer, type Log, natsPids, pidsOf, regionOn, serverPids } from "./live/region.ts";
import { gauge, inParallel, Requests } from "./live/requests.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

/** Allocations of one job, and jobs sent at once. */
const COUNT = 1_000;
const AT_ONCE = 8;
const CPU = 20;
const NODE_CPU = 16_000;

/** How much of it: 1 = as the challenge had it; smaller for a first look. */
const SCALE = Number(process.env.BENCH_SCALE ?? 1);
/** What is not done by then is left, and the row tells what was. */
const LIMIT_MS = Number(process.env.BENCH_LIMIT_SECONDS ?? 300) * 1e3;
/** Processes that schedule on R3, so that the server does not; none: it does, as on the embedded log. */
const WORKERS = Number(process.env.BENCH_WORKERS ?? 1);
const LOGS = ["R3", "embedded"] as const;
const TYPES = ["service", "batch"] as const;
/** Default: all. */
const chosen = <T extends string>(all: readonly T[], name: string) =>
  all.filter((it) => (process.env[name] ?? it).split(",").includes(it));

export const c1m: Scenario = {
  name: "c1m",
  summary:
    "1,000 jobs × 1,000 on 5,000 simulated nodes through the whole path (BENCH_SCALE=0.1: a tenth; BENCH_LOG=R3|embedded, BENCH_TYPE=service|batch: those alone; BENCH_WORKERS=1: worker processes on R3, 0: the server schedules; BENCH_LIMIT_SECONDS=300 each)",
  async run() {
    const rows: Table["rows"] = [];
    for (const log of chosen(LOGS, "BENCH_LOG")) {
      for (const type of chosen(TYPES, "BENCH_TYPE")) rows.push(await million(log, type, Math.round(1_000 * SCALE)));
    }
    return [
      {
        title: `C1M: ${figure(1_000 * SCALE)} jobs × ${figure(COUNT)} on 5,000 nodes`,
        columns: [
          ...["log", "type", "s until all placed", "placed/s", "s until all told running", "told running/s"],
          ...["CPU µs an allocation, servers", "workers", "NATS", "agents", "server peak MB", "invariants"],
        ],
        rows,
      },
    ];
  },
};

async function million(log: Log, type: string, jobs: number): Promise<Table["rows"][0]> {
  await using live = await regionOn(log, { workers: log === "embedded" ? 0 : WORKERS });
  const { cluster, region, server } = live;
  const agents = await cluster.addSimulatedNodes(region, 5_000);
  const requests = new Requests();
  const parts = [pidsOf(region.servers), pidsOf(region.workers), natsPids(region), [agents.pid]];
  const cpu = () => parts.map((pids) => cpuMs(pids));
  using peak = new PeakMemory([server.pid]);
  const [before, from] = [cpu(), performance.now()];
  const reached = await fill(requests, region, type, jobs, from);
  const after = cpu();
  const each = after.map((ms, i) => figure(((ms - (before[i] ?? 0)) * 1e3) / reached.placed.count));
  const invariants = await verify(requests, server.http, reached.running.isAll ? jobs : undefined);
  requests.close();
  return [log, type, ...cells(reached.placed), ...cells(reached.running), ...each, figure(peak.mb), invariants];
}

/** How far it came, in how long. */
interface Reached {
  readonly count: number;
  readonly ms: number;
  readonly isAll: boolean;
}

/** Seconds (what was reached, when that is not all), and the rate. */
function cells({ count, ms, isAll }: Reached): [string, string] {
  return [isAll ? figure(ms / 1e3) : `${figure(count)} in ${figure(ms / 1e3)}`, figure((count * 1e3) / ms)];
}

/** Sends the jobs, and waits until all are placed, and until all are told running; no longer than the limit. */
async function fill(requests: Requests, region: Region, Type: string, jobs: number, from: number) {
  const { http } = firstServer(region);
  const total = jobs * COUNT;
  const isOver = () => performance.now() - from > LIMIT_MS;
  const reached = async (what: string, count: () => Promise<number>, everyMs: number): Promise<Reached> => {
    for (let toldMs = performance.now(); ; ) {
      const now = await count();
      if (now >= total || isOver()) return { count: now, ms: performance.now() - from, isAll: now >= total };
      if (performance.now() - toldMs > TELL_MS) {
        toldMs = performance.now();
        console.error(`${region.name}: ${figure(now)} ${what} after ${figure((toldMs - from) / 1e3)} s`);
      }
      await pause(everyMs);
    }
  };
  await inParallel(jobs, AT_ONCE, async (n) => {
    if (isOver()) return;
    await requests.put(`${http}/v1/jobs`, {
      Job: mockTaskJob(`${region.name}-${n}`, { count: COUNT, cpu: CPU, type: Type }),
    });
  });
  const placed = await reached("placed", () => gauge(requests, http, "state.allocations"), Math.max(50, jobs));
  return { placed, running: await reached("told running", () => running(requests, http), 1_000) };
}

/** Between two words on how far it is. */
const TELL_MS = 10_000;

interface Stub {
  readonly Name: string;
  readonly NodeID: string;
  readonly DesiredStatus: string;
  readonly ClientStatus: string;
}

/**
 * Every name once, no node over-committed, and when so many `jobs` are to be whole, every allocation running. Tells
 * how many it looked at; throws otherwise.
 */
async function verify(requests: Requests, http: string, jobs: number | undefined): Promise<string> {
  const taken = new Map<string, number>();
  let seen = 0;
  const ids = (await requests.get<{ ID: string }[]>(`${http}/v1/jobs`)).map(({ ID }) => ID);
  if (jobs !== undefined && ids.length !== jobs) throw new Error(`${ids.length} jobs instead of ${jobs}`);
  await inParallel(ids.length, 2, async (n) => {
    const allocations = await requests.get<Stub[]>(`${http}/v1/job/${ids[n]}/allocations`);
    const live = allocations.filter((it) => it.DesiredStatus === "run");
    const running = live.filter((it) => it.ClientStatus === "running");
    const names = new Set(live.map(({ Name }) => Name));
    if (live.length !== names.size || live.length > COUNT || (jobs !== undefined && running.length !== COUNT)) {
      const counts = `${live.length} allocations of ${names.size} names, ${running.length} running`;
      throw new Error(`job ${ids[n]} has ${counts}`);
    }
    for (const { NodeID } of live) taken.set(NodeID, (taken.get(NodeID) ?? 0) + CPU);
    seen += live.length;
  });
  const most = Math.max(...taken.values());
  if (most > NODE_CPU) throw new Error(`a node of ${NODE_CPU} MHz was given ${most}`);
  return `hold (${figure(seen)} looked at)`;
}

export const c2m: Scenario = {
  name: "c2m",
  summary:
    "2,000,000 allocations on 6,100 simulated nodes in ten regions, embedded logs (BENCH_SCALE, BENCH_LIMIT_SECONDS=300)",
  async run() {
    const regions = 10;
    const jobs = Math.round(200 * SCALE);
    await using cluster = await Cluster.create({ embedded: true });
    const all: Region[] = [];
    for (let n = 0; n < regions; n++) {
      const region = await addRegion(cluster, `r${n}`, "embedded");
      await cluster.addSimulatedNodes(region, 610);
      all.push(region);
    }
    const requests = new Requests();
    const from = performance.now();
    const pids = all.flatMap((region) => [...serverPids(region), ...region.simulated.map(({ pid }) => pid)]);
    using peak = new PeakMemory(pids);
    const before = cpuMs(all.flatMap(serverPids));
    // One region after the other would be faster, and would not be ten regions at work.
    const filled = new AbortController();
    const progress = growth(requests, all, jobs * COUNT * regions, filled.signal);
    const times = await Promise.all(all.map((region) => fill(requests, region, "service", jobs, from)));
    filled.abort();
    const cpu = cpuMs(all.flatMap(serverPids)) - before;
    const [placed, running] = [sum(times.map((it) => it.placed)), sum(times.map((it) => it.running))];
    const residentNow = pids.reduce((sum, pid) => sum + residentMb(pid), 0);
    const [placedCells, runningCells] = [cells(placed), cells(running)];
    const rows = [
      ["s until all placed", placedCells[0]],
      ["placed/s", placedCells[1]],
      ["s until all told running", runningCells[0]],
      ["CPU µs an allocation, servers", figure((cpu * 1e3) / placed.count)],
      ["resident MB at the end, servers and agents", figure(residentNow)],
      ["the most at once, MB", figure(peak.mb)],
    ];
    const whole = running.isAll ? jobs : undefined;
    for (const region of all) rows.push([region.name, await verify(requests, firstServer(region).http, whole)]);
    const grown = await progress;
    requests.close();
    return [
      { title: `C2M: ${figure(jobs * COUNT * regions)} on 6,100 nodes in ten regions`, columns: ["", "result"], rows },
      {
        title: "C2M: cost as it fills",
        columns: ["placed", "servers' CPU µs an allocation since the row above"],
        rows: grown,
      },
    ];
  },
};

/** Of all regions together: the count, and the time of the last. */
function sum(all: readonly Reached[]): Reached {
  const count = all.reduce((total, it) => total + it.count, 0);
  return { count, ms: Math.max(...all.map(({ ms }) => ms)), isAll: all.every(({ isAll }) => isAll) };
}

/** CPU of the servers an allocation, for each tenth of the way, until the signal aborts. */
async function growth(requests: Requests, regions: readonly Region[], total: number, signal: AbortSignal) {
  const rows: Table["rows"] = [];
  let [countBefore, cpuBefore] = [0, cpuMs(regions.flatMap(serverPids))];
  while (countBefore < total && !signal.aborted) {
    await pause(500);
    const counts = await Promise.all(regions.map((it) => gauge(requests, firstServer(it).http, "state.allocations")));
    const count = counts.reduce((sum, it) => sum + it, 0);
    if (count - countBefore < total / 10 && count < total) continue;
    const cpu = cpuMs(regions.flatMap(serverPids));
    rows.push([figure(count), figure(((cpu - cpuBefore) * 1e3) / (count - countBefore))]);
    [countBefore, cpuBefore] = [count, cpu];
  }
  return rows;
}
