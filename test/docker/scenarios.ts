// What is broken, one row a scenario. The region under fault is the caller's choice.
import { call, eventually } from "../kit/api.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import type { DockerCluster, Region } from "./cluster.ts";
import {
  clockJump,
  cutOff,
  type Fault,
  kill,
  lossyLinks,
  partition,
  partitionRegion,
  pause,
  slowLinks,
  stop,
} from "./faults.ts";
import type { Figures, RegionFigures } from "./figures.ts";

export interface Injected extends Fault {
  /** What was broken, in words. */
  readonly what: string;
  /** When, by `performance.now()`; absent: as soon as it was asked for. */
  readonly at?: number;
}

export interface Scenario {
  readonly name: string;
  /** How long the fault lasts. */
  readonly holdMs: number;
  inject(cluster: DockerCluster, region: Region): Promise<Injected>;
  readonly targets: readonly Target[];
}

/** What a figure of the region under fault, or of another, should be at most. */
export interface Target {
  readonly what: string;
  readonly of: "faulted" | "others";
  figure(region: RegionFigures): number;
  /** Milliseconds, or for `relative` a ratio. */
  readonly most: number;
}

const writesWithin = (ms: number): Target => ({
  what: "longest time without a write",
  of: "faulted",
  figure: (it) => it.longestGapMs,
  most: ms,
});
const schedulesWithin = (ms: number): Target => ({
  what: "longest time without an evaluation",
  of: "faulted",
  figure: (it) => it.longestSchedulingGapMs,
  most: ms,
});
const forwardsWithin = (ms: number): Target => ({
  what: "slowest request for the region",
  of: "others",
  figure: (it) => it.slowestForwardMs,
  most: ms,
});
/** Others must not notice: writes go on at their usual pace. */
const UNNOTICED: Target = {
  what: "longest time without a write elsewhere",
  of: "others",
  figure: (it) => it.longestGapMs,
  most: 500,
};
const SAME_P99: Target = {
  what: "p99 elsewhere, against before",
  of: "others",
  figure: (it) => (it.p99BeforeMs === 0 ? 1 : it.p99DuringMs / it.p99BeforeMs),
  most: 1.1,
};

const SERVER_LOST = [writesWithin(200), UNNOTICED];
const LEADER_LOST = [writesWithin(5_000), schedulesWithin(10_000), UNNOTICED];
const REGION_DEAD = [forwardsWithin(2_000), UNNOTICED, SAME_P99];
const REGION_HANGS = [forwardsWithin(5_000), UNNOTICED, SAME_P99];

const CLOCK_JUMPS = [writesWithin(500), schedulesWithin(10_000), UNNOTICED];

type Act = (cluster: DockerCluster, ...services: string[]) => Promise<Fault>;

/** One service, chosen when the fault comes. */
function on(
  name: string,
  act: Act,
  choose: (cluster: DockerCluster, region: Region) => Promise<string[]> | string[],
  targets: readonly Target[],
  holdMs = 8_000,
): Scenario {
  return {
    name,
    holdMs,
    targets,
    async inject(cluster, region) {
      const services = await choose(cluster, region);
      const at = performance.now();
      const { heal } = await act(cluster, ...services);
      return { at, what: `${name}: ${services.length > 4 ? `all of ${region}` : services.join(", ")}`, heal };
    },
  };
}

const restart: Act = async (cluster, ...services) => {
  const stopped = await stop(cluster, ...services);
  await stopped.heal();
  return { heal: async () => undefined };
};

const leader = async (cluster: DockerCluster, region: Region) => [await cluster.leader(region)];
const streamLeader = async (cluster: DockerCluster, region: Region) => [await cluster.streamLeader(region)];
const followingServer = async (cluster: DockerCluster, region: Region) => {
  const holder = await cluster.leader(region);
  return cluster
    .names(region, "server")
    .filter((server) => server !== holder)
    .slice(0, 1);
};
const followingNats = async (cluster: DockerCluster, region: Region) => {
  const holder = await cluster.streamLeader(region);
  return cluster
    .names(region, "nats")
    .filter((node) => node !== holder)
    .slice(0, 1);
};
const firstOf = (role: "worker" | "client") => (cluster: DockerCluster, region: Region) =>
  cluster.names(region, role).slice(0, 1);
const allNats = (cluster: DockerCluster, region: Region) => cluster.names(region, "nats");
const everything = (cluster: DockerCluster, region: Region) => cluster.all(region);
const allServers = (cluster: DockerCluster, region: Region) => cluster.names(region, "server");

/** A link broken by packet rules. */
function link(
  name: string,
  targets: readonly Target[],
  make: (cluster: DockerCluster, region: Region) => Promise<Fault>,
  holdMs = 12_000,
): Scenario {
  return {
    name,
    holdMs,
    targets,
    inject: async (cluster, region) => ({ what: `${name}: ${region}`, heal: (await make(cluster, region)).heal }),
  };
}

const fromNats =
  (both: boolean, choose: (cluster: DockerCluster, region: Region) => Promise<string[]>) =>
  async (cluster: DockerCluster, region: Region) =>
    partition(cluster, await choose(cluster, region), cluster.names(region, "nats"), region, both);

export const SCENARIOS: readonly Scenario[] = [
  on("kill -9 a server", kill, followingServer, SERVER_LOST),
  on("stop a server", stop, followingServer, SERVER_LOST),
  on("pause a server", pause, followingServer, [writesWithin(5_000), UNNOTICED]),
  on("restart a server", restart, followingServer, SERVER_LOST),
  on("kill -9 the lease holder", kill, leader, LEADER_LOST),
  on("stop the lease holder", stop, leader, LEADER_LOST),
  on("pause the lease holder", pause, leader, LEADER_LOST, 12_000),
  midEvaluation(),
  on("kill -9 a NATS node", kill, followingNats, [writesWithin(5_000), UNNOTICED]),
  on("kill -9 the stream leader", kill, streamLeader, LEADER_LOST),
  on("pause the stream leader", pause, streamLeader, LEADER_LOST, 15_000),
  on("kill -9 all NATS nodes of a region", kill, allNats, [UNNOTICED], 6_000),
  on("kill -9 a node agent", kill, firstOf("client"), [writesWithin(500), UNNOTICED], 20_000),
  on("pause a node agent", pause, firstOf("client"), [writesWithin(500), UNNOTICED], 15_000),
  on("kill -9 a whole region", kill, everything, REGION_DEAD, 10_000),
  on("pause all servers of a region", pause, allServers, REGION_HANGS, 12_000),
  link("network disconnect of a region", [...REGION_HANGS, writesWithin(500)], cutOff),
  link("partition a region from the others", [...REGION_HANGS, writesWithin(500)], (cluster, region) =>
    partitionRegion(cluster, region, true),
  ),
  link("one-way cut: a region hears no other", [UNNOTICED, writesWithin(500)], (cluster, region) =>
    partitionRegion(cluster, region, false),
  ),
  link("partition a server from NATS", [writesWithin(5_000), UNNOTICED], fromNats(true, followingServer)),
  link("partition the lease holder from NATS", LEADER_LOST, fromNats(true, leader), 15_000),
  link("one-way cut: the lease holder hears no NATS", LEADER_LOST, fromNats(false, leader), 15_000),
  link("lossy links between regions (20 %)", [UNNOTICED, writesWithin(500)], lossyLinks),
  link("slow links between regions (50 packets/s)", [UNNOTICED, writesWithin(500)], (cluster, region) =>
    slowLinks(cluster, region, 50),
  ),
  on("clock jump: the lease holder, 90 s ahead", (cluster, it = "") => clockJump(cluster, 90, it), leader, CLOCK_JUMPS),
  on(
    "clock jump: the lease holder, 90 s behind",
    (cluster, it = "") => clockJump(cluster, -90, it),
    leader,
    CLOCK_JUMPS,
  ),
  rollingRestart(),
  drain(),
];

/** A worker is killed while it has hundreds of placements to think about. */
function midEvaluation(): Scenario {
  return {
    name: "kill -9 a worker in mid-evaluation",
    holdMs: 8_000,
    targets: [writesWithin(500), schedulesWithin(10_000), UNNOTICED],
    async inject(cluster, region) {
      const url = await cluster.url(cluster.names(region, "server")[0] as string);
      const job = mockTaskJob("burst", { count: 300, type: "batch", cpu: 1, config: { run_for: "1ms" } });
      const { status, text } = await call("PUT", `${url}/v1/jobs`, { Job: job });
      if (status !== 200) throw new Error(`registering the burst answered ${text}`);
      const [worker] = cluster.names(region, "worker") as [string];
      const killed = await kill(cluster, worker);
      return {
        what: `killed ${worker} just after 300 placements were asked for`,
        async heal() {
          await killed.heal();
          await call("DELETE", `${url}/v1/job/burst?purge=true`);
        },
      };
    },
  };
}

/** Servers, workers and NATS nodes of a region, one after the other, each back before the next. */
function rollingRestart(): Scenario {
  return {
    name: "rolling restart of a region",
    holdMs: 0,
    targets: [writesWithin(5_000), schedulesWithin(10_000), UNNOTICED],
    async inject(cluster, region) {
      for (const role of ["server", "worker", "nats"] as const) {
        for (const service of cluster.names(region, role)) {
          await cluster.stop(service);
          await cluster.start(service);
          if (role === "server") await serves(cluster, service);
          if (role === "worker") await works(cluster, service);
          if (role === "nats") await eventually(`${service} is healthy`, 60_000, () => natsIsHealthy(cluster, service));
        }
      }
      return {
        what: `restarted the servers, workers and NATS nodes of ${region}, one by one`,
        heal: async () => undefined,
      };
    },
  };
}

function drain(): Scenario {
  return {
    name: "drain a node",
    holdMs: 8_000,
    targets: [writesWithin(500), UNNOTICED],
    async inject(cluster, region) {
      const url = await cluster.url(cluster.names(region, "server")[0] as string);
      const { body } = await call("GET", `${url}/v1/nodes`);
      const [node] = body;
      const set = (spec: object) => call("PUT", `${url}/v1/node/${node.ID}/drain`, spec);
      await set({ DrainSpec: { Deadline: 60_000_000_000 } });
      return {
        what: `drained ${node.Name}`,
        heal: async () => void (await set({ DrainSpec: null, MarkEligible: true })),
      };
    },
  };
}

export async function serves(cluster: DockerCluster, server: string): Promise<void> {
  await eventually(`${server} serves`, 60_000, async () => {
    const { status, text } = await call("GET", `${await cluster.url(server)}/v1/jobs?prefix=none`, undefined, {
      timeoutMs: 2_000,
    });
    if (status !== 200) throw new Error(text);
  });
}

/** A worker has no port; it says in its log that it has begun. */
async function works(cluster: DockerCluster, worker: string): Promise<void> {
  const since = (await cluster.place(worker)).startedAt;
  await eventually(`${worker} works`, 60_000, async () => {
    const text = await cluster.output(worker, since);
    if (!text.includes("worker started")) throw new Error(text);
  });
}

async function natsIsHealthy(cluster: DockerCluster, node: string): Promise<void> {
  const answer = await cluster.monitor(node, "/healthz");
  if (!answer.includes('"ok"')) throw new Error(answer);
}

/** One line a target: met or missed, and by how much. */
export function judgeTargets(
  scenario: Scenario,
  figures: Figures,
): { readonly met: boolean; readonly line: string; readonly ratio: number }[] {
  return scenario.targets.map((target) => {
    const regions = figures.regions.filter(({ faulted }) => faulted === (target.of === "faulted"));
    const worst = Math.max(0, ...regions.map(target.figure));
    const isRatio = target.most < 10;
    const show = (value: number) => (isRatio ? value.toFixed(2) : `${Math.round(value)} ms`);
    const met = worst <= target.most;
    return {
      met,
      ratio: worst / target.most,
      line: `${met ? "met   " : "MISSED"} ${target.what}: ${show(worst)} (at most ${show(target.most)})`,
    };
  });
}
