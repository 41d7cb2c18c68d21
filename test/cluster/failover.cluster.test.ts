// How long clients are without an answer when a server or another region is lost. Times are printed; what is
// asserted leaves room for a machine that does other work.
import { expect, test } from "vitest";
import { call, eventually } from "../kit/api.ts";
import { type Agent, Cluster } from "../kit/cluster.ts";
import { leaseHolder } from "../kit/lease-holder.ts";
import { percentile } from "../kit/samples.ts";
import { SteadyProber } from "../kit/steady-prober.ts";
import { SteadyWriter } from "../kit/steady-writer.ts";

const say = (text: string) => process.stdout.write(`   ${text}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("kill -9 of a server, and of the lease holder, a client that retries on another writes again at once (3 servers)", async () => {
  await using cluster = await Cluster.create({ embedded: false });
  const region = await cluster.addRegion({ name: "us", servers: 3, workers: 0, clients: 0 });
  const gaps: number[] = [];
  for (const which of ["a server", "the lease holder"]) {
    const leading = await leaseHolder(region);
    const alive = region.servers.filter(({ child }) => child.signalCode === null);
    const victim = which === "a server" ? alive.find((server) => server !== leading) : leading;
    const first = alive.indexOf(victim as Agent);
    const urls = alive.map(({ http }) => http);
    await using writer = new SteadyWriter("steady", urls, { first });
    await eventually("it writes", 10_000, async () => {
      if (writer.written.length < 20) throw new Error(`${writer.written.length} writes`);
    });
    const killed = performance.now();
    void victim?.kill();
    await sleep(5_000);
    const gap = writer.longestGap(killed, performance.now());
    say(`kill -9 ${which}: ${gap.toFixed(0)} ms without a write`);
    gaps.push(gap);
  }
  expect(Math.max(...gaps)).toBeLessThan(1_000);
}, 120_000);

test("lease holder and a worker are stopped in order, evaluations go on at once (2 servers, 2 workers)", async () => {
  await using cluster = await Cluster.create({ embedded: false });
  const region = await cluster.addRegion({ name: "us", servers: 2, workers: 2, clients: 0 });
  const leading = await leaseHolder(region);
  const staying = region.servers.filter((server) => server !== leading).map(({ http }) => http);
  await using prober = new SteadyProber("probe", staying);
  for (const [what, leaving] of [
    ["a worker", region.workers[0]],
    ["the lease holder", leading],
  ] as const) {
    const before = prober.processed.length;
    await eventually("evaluations are dealt with", 30_000, async () => {
      if (prober.processed.length < before + 20) throw new Error(`${prober.processed.length}`);
    });
    const from = performance.now();
    await leaving?.stop(15_000);
    // Longer than what a lost evaluation was missed for.
    await sleep(7_000);
    const gap = prober.longestGap(from, performance.now());
    say(`stop ${what}: ${gap.toFixed(0)} ms without an evaluation`);
    expect(gap).toBeLessThan(3_000);
  }
}, 120_000);

test.each(["dies", "hangs"] as const)(
  "a region %s, writes in the other go on as before (2 regions)",
  async (how) => {
    await using cluster = await Cluster.create({ embedded: false });
    const us = await cluster.addRegion({ name: "us", servers: 2, workers: 0, clients: 0 });
    const eu = await cluster.addRegion({ name: "eu", servers: 2, workers: 0, clients: 0 });
    await eventually("us knows eu", 20_000, async () => {
      const { status, text } = await call("GET", `${us.servers[0]?.http}/v1/jobs?region=eu`);
      if (status !== 200) throw new Error(text);
    });
    const urls = us.servers.map(({ http }) => http);
    await using writer = new SteadyWriter("steady", urls, { pauseMs: 5 });
    await sleep(3_000);
    const before = performance.now();
    await sleep(10_000);
    const lost = performance.now();
    for (const server of eu.servers) server.signal(how === "dies" ? "SIGKILL" : "SIGSTOP");
    const asked: { tookMs: number; text: string }[] = [];
    while (performance.now() < lost + 10_000) {
      const at = performance.now();
      const { text } = await call("GET", `${urls[0]}/v1/jobs?region=eu`);
      asked.push({ tookMs: performance.now() - at, text });
      await sleep(200);
    }
    const end = performance.now();
    for (const server of eu.servers) server.signal("SIGCONT");

    const p99 = [writer.tookBetween(before, lost), writer.tookBetween(lost, end)].map((it) => percentile(it, 0.99));
    const gaps = [writer.longestGap(before, lost), writer.longestGap(lost, end)];
    const slowest = Math.max(...asked.map(({ tookMs }) => tookMs));
    const shown = (numbers: readonly number[]) => numbers.map((it) => `${it.toFixed(1)} ms`).join(" -> ");
    say(`a region ${how}: p99 of writes in the other ${shown(p99)}, longest time without one ${shown(gaps)}`);
    say(
      `requests for it: the slowest ${slowest.toFixed(0)} ms, ${[...new Set(asked.map(({ text }) => text))].join(" | ")}`,
    );
    expect(asked.at(-1)?.text).toBe("No path to region");
    expect(slowest).toBeLessThan(how === "dies" ? 2_000 : 5_500);
    expect(gaps[1]).toBeLessThan(1_000);
  },
  120_000,
);
