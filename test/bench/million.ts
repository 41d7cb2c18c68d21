// Many allocations through the whole path, as the challenges of 2016 (C1M) and 2020 (C2M) had it:
// HTTP, log, broker, worker, plan, apply, and simulated node agents that report them running.
import type { Region } from "../kit/cluster.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { pause, placed, running } from "./evaluation.ts";
import { cpuMs, peakMb, residentMb } from "./live/processes.ts";
import { addRegion, firstServer, type Log, natsPids, regionOn, serverPids } from "./live/region.ts";
import { gauge, inParallel, Requests } from "./live/requests.ts";
import { figure, type Scenario, type Table } from "./scenario.ts";

/** Allocations of one job, and jobs sent at once. */
const COUNT = 1_000;
const AT_ONCE = 8;
const CPU = 20;
const NODE_CPU = 16_000;

/** How much of it: 1 = as the challenge had it; smaller for a first look. */
const SCALE = Number(process.env.BENCH_SCALE ?? 1);

export const c1m: Scenario = {
  name: "c1m",
  summary:
    "1,000 jobs × 1,000 on 5,000 simulated nodes through the whole path, service and batch (BENCH_SCALE=0.1: a tenth)",
  async run() {
    const rows: Table["rows"] = [];
    for (const log of ["R3", "embedded"] as const) {
      for (const type of ["service", "batch"]) rows.push(await million(log, type, Math.round(1_000 * SCALE)));
    }
    return [
      {
        title: `C1M: ${figure(1_000 * SCALE)} jobs × ${figure(COUNT)} on 5,000 nodes`,
        columns: [
          ...["log", "type", "s until all placed", "placed/s", "s until all told running", "told running/s"],
          ...["CPU µs an allocation, servers", "NATS", "agents", "server peak MB", "invariants"],
        ],
        rows,
      },
    ];
  },
};

async function million(log: Log, type: string, jobs: number): Promise<Table["rows"][0]> {
  await using live = await regionOn(log, { workers: log === "embedded" ? 0 : 1 });
  const { cluster, region, server } = live;
  const agents = await cluster.addSimulatedNodes(region, 5_000);
  const requests = new Requests();
  const cpu = () => [cpuMs(serverPids(region)), cpuMs(natsPids(region)), cpuMs([agents.pid])] as const;
  const [before, from] = [cpu(), performance.now()];
  const { placedMs, runningMs } = await fill(requests, region, type, jobs, from);
  const after = cpu();
  const each = ([0, 1, 2] as const).map((i) => figure(((after[i] - before[i]) * 1e3) / (jobs * COUNT)));
  const invariants = await verify(requests, server.http, jobs);
  const peak = figure(peakMb(server.pid));
  requests.close();
  const rate = (ms: number) => figure((jobs * COUNT * 1e3) / ms);
  return [
    ...[log, type, figure(placedMs / 1e3), rate(placedMs), figure(runningMs / 1e3), rate(runningMs)],
    ...[...each, peak, invariants],
  ];
}

/** Sends the jobs; milliseconds from `from` until all are placed, and until all are told running. */
async function fill(requests: Requests, region: Region, Type: string, jobs: number, from: number) {
  const { http } = firstServer(region);
  await inParallel(jobs, AT_ONCE, (n) =>
    requests.put(`${http}/v1/jobs`, {
      Job: mockTaskJob(`${region.name}-${n}`, { count: COUNT, cpu: CPU, type: Type }),
    }),
  );
  await placed(requests, http, jobs * COUNT);
  const placedMs = performance.now() - from;
  while ((await running(requests, http)) < jobs * COUNT) await pause(250);
  return { placedMs, runningMs: performance.now() - from };
}

interface Stub {
  readonly Name: string;
  readonly NodeID: string;
  readonly DesiredStatus: string;
  readonly ClientStatus: string;
}

/** Every name once, every allocation running, no node over-committed. Tells how many it looked at; throws otherwise. */
async function verify(requests: Requests, http: string, jobs: number): Promise<string> {
  const taken = new Map<string, number>();
  let seen = 0;
  const ids = (await requests.get<{ ID: string }[]>(`${http}/v1/jobs`)).map(({ ID }) => ID);
  if (ids.length !== jobs) throw new Error(`${ids.length} jobs instead of ${jobs}`);
  await inParallel(ids.length, 2, async (n) => {
    const allocations = await requests.get<Stub[]>(`${http}/v1/job/${ids[n]}/allocations`);
    const live = allocations.filter((it) => it.DesiredStatus === "run" && it.ClientStatus === "running");
    const names = new Set(live.map(({ Name }) => Name));
    if (live.length !== COUNT || names.size !== COUNT) {
      throw new Error(`job ${ids[n]} has ${live.length} running allocations of ${names.size} names`);
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
  summary: "2,000,000 allocations on 6,100 simulated nodes in ten regions, embedded logs, on this machine",
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
    const before = cpuMs(all.flatMap(serverPids));
    // One region after the other would be faster, and would not be ten regions at work.
    const progress = growth(requests, all, jobs * COUNT * regions);
    const times = await Promise.all(all.map((region) => fill(requests, region, "service", jobs, from)));
    const cpu = cpuMs(all.flatMap(serverPids)) - before;
    const placedMs = Math.max(...times.map(({ placedMs }) => placedMs));
    const runningMs = Math.max(...times.map(({ runningMs }) => runningMs));
    const pids = all.flatMap((region) => [...serverPids(region), ...region.simulated.map(({ pid }) => pid)]);
    const total = (of: (pid: number) => number) => figure(pids.reduce((sum, pid) => sum + of(pid), 0));
    const allocations = jobs * COUNT * regions;
    const rows = [
      ["s until all placed", figure(placedMs / 1e3)],
      ["placed/s", figure((allocations * 1e3) / placedMs)],
      ["s until all told running", figure(runningMs / 1e3)],
      ["CPU µs an allocation, servers", figure((cpu * 1e3) / allocations)],
      ["resident MB at the end, servers and agents", total(residentMb)],
      ["sum of the peaks, MB", total(peakMb)],
    ];
    for (const region of all) rows.push([region.name, await verify(requests, firstServer(region).http, jobs)]);
    const grown = await progress;
    requests.close();
    return [
      { title: `C2M: ${figure(allocations)} on 6,100 nodes in ten regions`, columns: ["", "result"], rows },
      {
        title: "C2M: cost as it fills",
        columns: ["placed", "servers' CPU µs an allocation since the row above"],
        rows: grown,
      },
    ];
  },
};

/** CPU of the servers an allocation, for each tenth of the way. */
async function growth(requests: Requests, regions: readonly Region[], total: number): Promise<Table["rows"]> {
  const rows: Table["rows"] = [];
  let [countBefore, cpuBefore] = [0, cpuMs(regions.flatMap(serverPids))];
  while (countBefore < total) {
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
