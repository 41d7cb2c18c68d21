// Links that work badly, by a proxy in the middle: slow, losing packets, silent one way. Real processes.
import { freePort } from "@steppe/log/internal";
import { expect, test } from "vitest";
import { call, eventually } from "../kit/api.ts";
import { Cluster } from "../kit/cluster.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { SteadyWriter } from "../kit/steady-writer.ts";
import { TcpProxy } from "../kit/tcp-proxy.ts";

const say = (text: string) => process.stdout.write(`   ${text}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function timed(method: string, url: string, body?: object) {
  const start = performance.now();
  const { status, text } = await call(method, url, body);
  return { status, text, tookMs: performance.now() - start };
}

test("link between regions slow, losing packets, then silent one way: requests arrive or fail in time, regions work on (2 regions)", async () => {
  const port = await freePort();
  await using link = await TcpProxy.to(`127.0.0.1:${port}`);
  await using cluster = await Cluster.create({
    rpc: (name) => (name === "us-server-1" ? { port, advertised: Number(link.address.split(":")[1]) } : undefined),
  });
  const us = await cluster.addRegion({ name: "us", servers: 1, workers: 0, clients: 0 });
  const eu = await cluster.addRegion({ name: "eu", servers: 1, workers: 0, clients: 0 });
  const [usHttp = "", euHttp = ""] = [us, eu].map(({ servers }) => servers[0]?.http);
  await eventually("eu knows us", 20_000, async () => {
    const { status, text } = await call("GET", `${euHttp}/v1/jobs?region=us`);
    if (status !== 200) throw new Error(text);
  });
  await using inUs = new SteadyWriter("local", [usHttp]);
  await using inEu = new SteadyWriter("local", [euHttp]);

  link.degrade({ delayMs: 50, rate: 200_000, loss: 0.2 });
  const bad = performance.now();
  const answers: Awaited<ReturnType<typeof timed>>[] = [];
  for (let n = 0; n < 30; n++) {
    answers.push(await timed("PUT", `${euHttp}/v1/job/far-${n}?region=us`, { Job: mockTaskJob(`far-${n}`) }));
  }
  const slowest = Math.max(...answers.map(({ tookMs }) => tookMs));
  say(`50 ms, 200 kB/s, every fifth piece late: 30 writes into the other region, the slowest ${slowest.toFixed(0)} ms`);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(slowest).toBeGreaterThan(100);

  link.silence("down");
  const silent = performance.now();
  const asked = await timed("GET", `${euHttp}/v1/jobs?region=us`);
  say(`one-way cut: ${asked.status} ${asked.text} after ${asked.tookMs.toFixed(0)} ms`);
  expect([asked.status, asked.text]).toEqual([500, "No path to region"]);
  expect(asked.tookMs).toBeLessThan(5_500);
  await sleep(3_000);
  const end = performance.now();
  const gaps = [inUs, inEu].map((writer) => Math.max(writer.longestGap(bad, silent), writer.longestGap(silent, end)));
  say(`longest time without a local write: ${gaps.map((gap) => gap.toFixed(0)).join(" and ")} ms`);
  expect(Math.max(...gaps)).toBeLessThan(2_000);

  link.heal();
  await eventually("eu reaches us again", 20_000, async () => {
    const { status, text } = await call("GET", `${euHttp}/v1/jobs?region=us&prefix=far`);
    if (status !== 200) throw new Error(text);
    expect(JSON.parse(text)).toHaveLength(30);
  });
}, 120_000);

test("server's link to NATS slow and losing packets, it goes on writing, each write once (1 region, 2 servers)", async () => {
  let link: TcpProxy | undefined;
  await using cluster = await Cluster.create({
    embedded: false,
    natsUrls: (name) => (name === "us-server-1" && link !== undefined ? [`nats://${link.address}`] : undefined),
  });
  const region = await cluster.addRegion({ name: "us", servers: 0, workers: 0, clients: 0 });
  await using proxy = await TcpProxy.to(new URL(region.nats?.url ?? "").host);
  link = proxy;
  const [first, second] = [await cluster.addServer(region), await cluster.addServer(region)];
  proxy.degrade({ delayMs: 20, rate: 500_000, loss: 0.2 });
  const answers: Awaited<ReturnType<typeof timed>>[] = [];
  for (let n = 0; n < 30; n++) {
    answers.push(await timed("PUT", `${first.http}/v1/job/job-${n}`, { Job: mockTaskJob(`job-${n}`) }));
  }
  say(
    `30 writes over a bad link to NATS: the slowest ${Math.max(...answers.map(({ tookMs }) => tookMs)).toFixed(0)} ms`,
  );

  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const { body } = await call("GET", `${second.http}/v1/jobs?consistent`);
  expect(body.map((job: { Version: number }) => job.Version ?? 0)).toEqual(Array.from({ length: 30 }, () => 0));
}, 120_000);
