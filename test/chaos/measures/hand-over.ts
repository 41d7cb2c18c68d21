// Servers and workers that leave, in order or not: how long no evaluation is dealt with.
import { eventually } from "../../kit/api.ts";
import { type Agent, Cluster, type Region } from "../../kit/cluster.ts";
import { leaseHolder } from "../../kit/lease-holder.ts";
import type { Started } from "../../kit/process.ts";
import { percentile } from "../../kit/samples.ts";
import { SteadyProber } from "../../kit/steady-prober.ts";

const OBSERVED_MS = 12_000;

type Way = "stop" | "kill -9";

export async function handOver(rounds: number): Promise<void> {
  await using cluster = await Cluster.create({ embedded: false });
  const region = await cluster.addRegion({ name: "us", servers: 3, workers: 2, clients: 0 });
  const gaps = new Map<string, number[]>();
  for (let n = 1; n <= rounds; n++) {
    for (const way of ["stop", "kill -9"] as const) {
      for (const whom of ["the lease holder", "a worker"] as const) {
        const gap = await one(cluster, region, way, whom);
        const name = `${way} ${whom}`;
        gaps.set(name, [...(gaps.get(name) ?? []), gap]);
        process.stdout.write(`${name}, round ${n}: ${gap.toFixed(0)} ms without an evaluation\n`);
      }
    }
  }
  for (const [name, all] of gaps) {
    const [median, most] = [percentile(all, 0.5), Math.max(...all)].map((ms) => `${ms.toFixed(0)} ms`);
    process.stdout.write(`${name}, ${all.length} rounds: median ${median}, most ${most}\n`);
  }
}

async function one(cluster: Cluster, region: Region, way: Way, whom: "the lease holder" | "a worker"): Promise<number> {
  const victim: Started = whom === "a worker" ? (region.workers[0] as Started) : await leaseHolder(region);
  const others = region.servers.filter((server) => server !== victim);
  await using prober = new SteadyProber(
    "probe",
    others.map(({ http }) => http),
  );
  await eventually("evaluations are dealt with", 30_000, async () => {
    if (prober.processed.length < 20) throw new Error(`${prober.processed.length}`);
  });
  const from = performance.now();
  await (way === "stop" ? victim.stop(15_000) : victim.kill());
  const tookMs = performance.now() - from;
  if (way === "stop") process.stdout.write(`   it ended after ${tookMs.toFixed(0)} ms\n`);
  await new Promise((resolve) => setTimeout(resolve, OBSERVED_MS - tookMs));
  const gap = prober.longestGap(from, performance.now());
  if (whom === "a worker") {
    region.workers.shift();
    await cluster.addWorker(region);
  } else {
    await cluster.restartServer(region, victim as Agent);
  }
  return gap;
}
