// The NATS node that leads the region's stream dies or hangs: what of the time without a write is NATS's own
// election, and what comes on top of it here.
//
// Each round looks at three things at once: when the stream has a leader again (by asking the nodes that are
// left), when a bare NATS client's publish to a stream of its own on the same leader is acknowledged, and when each
// server of the region writes again.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { NatsServer } from "@steppe/log/internal";
import { eventually } from "../../kit/api.ts";
import { Cluster, type Region } from "../../kit/cluster.ts";
import { percentile } from "../../kit/samples.ts";
import { SteadyWriter } from "../../kit/steady-writer.ts";

const REGION = "us";
const STREAM = `STEPPE_${REGION}`;
const BARE = "BARE";
/** Longer than any election. */
const OBSERVED_MS = 16_000;

interface Round {
  /** Until the stream's new leader answered a question. */
  readonly electedMs: number;
  /** Until a bare client's publish was acknowledged. */
  readonly bareMs: number;
  /** Longest time without a write of a client that retries on another server. */
  readonly writesMs: number;
  /** The same of one that has that server only. */
  readonly serversMs: readonly number[];
}

export async function streamLeader(how: "dies" | "hangs", rounds: number): Promise<void> {
  await using cluster = await Cluster.create({ embedded: false });
  const region = await cluster.addRegion({ name: REGION, servers: 3, workers: 0, clients: 0, natsNodes: 3 });
  const nodes = await connectAll(region);
  await (await jetstreamManager(nodes[0] as NatsConnection)).streams.add({
    name: BARE,
    subjects: ["bare"],
    num_replicas: 3,
  });
  const seen: Round[] = [];
  for (let n = 1; n <= rounds; n++) {
    const round = await one(how, region, nodes, n);
    seen.push(round);
    const { electedMs, bareMs, writesMs, serversMs } = round;
    process.stdout.write(
      `stream leader ${how}, round ${n}: elected after ${s(electedMs)}, bare publish ${s(bareMs)}, writes ${s(writesMs)}, by server ${serversMs.map(s).join(" ")}\n`,
    );
  }
  const median = (pick: (round: Round) => number) => s(percentile(seen.map(pick), 0.5));
  const most = (pick: (round: Round) => number) => s(Math.max(...seen.map(pick)));
  const added = (round: Round) => round.writesMs - round.electedMs;
  const addedAnywhere = (round: Round) => Math.max(...round.serversMs) - round.electedMs;
  for (const [what, pick] of [
    ["elected", (round: Round) => round.electedMs],
    ["bare publish", (round: Round) => round.bareMs],
    ["writes", (round: Round) => round.writesMs],
    ["writes after the election", added],
    ["the slowest server after the election", addedAnywhere],
  ] as const) {
    process.stdout.write(
      `stream leader ${how}, ${seen.length} rounds, ${what}: median ${median(pick)}, most ${most(pick)}\n`,
    );
  }
  for (const node of nodes) await node.close();
}

async function connectAll({ natsServers }: Region): Promise<NatsConnection[]> {
  const options = { ignoreClusterUpdates: true, maxReconnectAttempts: -1, reconnectTimeWait: 100 };
  return await Promise.all(natsServers.map(({ url }) => connect({ servers: url, ...options })));
}

async function one(how: "dies" | "hangs", region: Region, nodes: NatsConnection[], n: number): Promise<Round> {
  const { natsServers, servers } = region;
  const victim = await leaderOf(STREAM, nodes);
  await moveLeader(BARE, victim, nodes);
  const at = nodes.findIndex((node) => node.info?.server_name === victim);
  const left = nodes.filter((_, i) => i !== at) as [NatsConnection, NatsConnection];
  const urls = servers.map(({ http }) => http);
  await using anywhere = new SteadyWriter(`any-${n}`, urls);
  const alone = urls.map((url, i) => new SteadyWriter(`server-${i}-${n}`, [url]));
  const all = [anywhere, ...alone];
  await eventually("all write", 30_000, async () => {
    if (all.some(({ written }) => written.length < 20)) throw new Error(all.map((it) => it.written.length).join(" "));
  });
  const fault = performance.now();
  const broken = (natsServers[at] as NatsServer)[how === "dies" ? "kill" : "pause"]();
  const [electedMs, bareMs] = await Promise.all([
    leaderAgain(left, victim).then(() => performance.now() - fault),
    publishAgain(left[0]).then(() => performance.now() - fault),
    broken,
  ]);
  await new Promise((resolve) => setTimeout(resolve, Math.max(2_000, OBSERVED_MS - (performance.now() - fault))));
  const end = performance.now();
  const gap = (writer: SteadyWriter) => writer.longestGap(fault, end);
  const round = { electedMs, bareMs, writesMs: gap(anywhere), serversMs: alone.map(gap) };
  for (const writer of alone) await writer[Symbol.asyncDispose]();
  if (how === "dies") await natsServers[at]?.restart();
  else natsServers[at]?.resume();
  await eventually("all copies are current", 60_000, async () => {
    for (const stream of [STREAM, BARE]) {
      const { cluster } = await info(stream, left[0], 1_000);
      if (!cluster.replicas.every((it) => it.current && !it.offline)) throw new Error(JSON.stringify(cluster));
    }
  });
  return round;
}

interface StreamInfo {
  readonly cluster: {
    readonly leader?: string;
    readonly replicas: readonly { readonly name: string; readonly current: boolean; readonly offline?: boolean }[];
  };
}

/** Rejects when nobody leads it. */
async function info(stream: string, node: NatsConnection, timeoutMs: number): Promise<StreamInfo> {
  const answer = (await node.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: timeoutMs })).json<
    StreamInfo & { error?: { description: string } }
  >();
  if (answer.error) throw new Error(answer.error.description);
  return answer;
}

async function leaderOf(stream: string, nodes: readonly NatsConnection[]): Promise<string> {
  return await eventually(`${stream} has a leader`, 30_000, async () => {
    const { cluster } = await info(stream, nodes[0] as NatsConnection, 1_000);
    if (!cluster.leader) throw new Error("nobody");
    return cluster.leader;
  });
}

/** Elections of chance, until the one comes up that is wanted. */
async function moveLeader(stream: string, wanted: string, nodes: readonly NatsConnection[]): Promise<void> {
  await eventually(`${wanted} leads ${stream}`, 60_000, async () => {
    const leader = await leaderOf(stream, nodes);
    if (leader === wanted) return;
    await nodes[0]?.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, "", { timeout: 2_000 });
    throw new Error(leader);
  });
}

async function leaderAgain(left: readonly NatsConnection[], victim: string): Promise<void> {
  const asking = left.map(async (node) => {
    for (;;) {
      const leader = await info(STREAM, node, 100).then(
        ({ cluster }) => cluster.leader,
        () => undefined,
      );
      if (leader && leader !== victim) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  await Promise.race(asking);
}

async function publishAgain(node: NatsConnection): Promise<void> {
  const client = jetstream(node);
  for (let sent = 0; ; sent++) {
    const taken = await client.publish("bare", "x", { timeout: 200 }).then(
      ({ seq }) => seq > 0,
      () => false,
    );
    // The first may have been on its way when the leader was lost.
    if (taken && sent > 1) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function s(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
