// A server in a container is killed: how long a client that retries on another server is without a write. One region of
// the ha shape runs alone, so that what is measured is not what thirty processes do to two cores.
import { DockerCluster, type Region } from "../../docker/cluster.ts";
import { buildImages, findEngine } from "../../docker/engine.ts";
import { kill } from "../../docker/faults.ts";
import { serves } from "../../docker/scenarios.ts";
import { eventually } from "../../kit/api.ts";
import { percentile } from "../../kit/samples.ts";
import { SteadyWriter } from "../../kit/steady-writer.ts";

const REGION: Region = "us";
const BEFORE_MS = 3_000;
const AFTER_MS = 5_000;

export async function killedServer(rounds: number): Promise<void> {
  process.env.DOCKER_HOST = findEngine();
  buildImages("dev", false);
  await using cluster = await DockerCluster.up({ project: `steppe-measure-${process.pid}`, regions: [REGION] });
  for (const whom of ["a server", "the lease holder"] as const) {
    const seen: { readonly before: number; readonly after: number }[] = [];
    for (let n = 1; n <= rounds; n++) {
      const gaps = await one(cluster, whom, `${whom === "a server" ? "s" : "h"}-${n}`);
      seen.push(gaps);
      process.stdout.write(
        `kill -9 ${whom}, round ${n}: ${gaps.after.toFixed(0)} ms without a write (before: ${gaps.before.toFixed(0)} ms)\n`,
      );
    }
    const after = seen.map((it) => it.after);
    process.stdout.write(
      `kill -9 ${whom} in a container, ${rounds} rounds: median ${percentile(after, 0.5).toFixed(0)} ms, most ${Math.max(...after).toFixed(0)} ms\n`,
    );
  }
}

async function one(cluster: DockerCluster, whom: "a server" | "the lease holder", job: string) {
  const names = cluster.names(REGION, "server");
  const holder = await cluster.leader(REGION);
  const victim = names.find((name) => (name === holder) === (whom === "the lease holder")) as string;
  const urls = await Promise.all(names.map((name) => cluster.url(name)));
  await using writer = new SteadyWriter(job, urls, { first: names.indexOf(victim) });
  await eventually("it writes", 20_000, async () => {
    if (writer.written.length < 50) throw new Error(`${writer.written.length} writes`);
  });
  const from = performance.now();
  await sleep(BEFORE_MS);
  const killed = performance.now();
  const { heal } = await kill(cluster, victim);
  await sleep(AFTER_MS);
  const gaps = { before: writer.longestGap(from, killed), after: writer.longestGap(killed, performance.now()) };
  await heal();
  await serves(cluster, victim);
  return gaps;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
