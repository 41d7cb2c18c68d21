// How fast a job is read over HTTP, without what lies behind the service.
//
//   node packages/http/bench/get-job.ts [seconds] [connections] [path] [header …]
//
// The app runs in a child process; this one holds the connections, each with one request under way.
// "µs CPU" is the child's, and the figure to compare: requests a second also measure this client.
import { fork } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { fromJson } from "@steppe/model";
import { type Job, type JobGetResponse, QueryMeta } from "@steppe/proto";
import { buildApp, type HttpNeeds, type RegionServices } from "../src/index.ts";

const task = (n: number) => ({
  Name: `task-${n}`,
  Driver: "docker",
  Config: { image: "registry.example.com/binstore:1.2.3", ports: ["http"] },
  Env: { LOG_LEVEL: "info", REGION: "us" },
  Resources: { CPU: 500, MemoryMB: 256 },
});
const job = fromJson<Job>("Job", {
  ID: "binstore-storagelocker",
  Name: "binstore-storagelocker",
  Type: "service",
  Datacenters: ["us2", "eu1"],
  TaskGroups: [{ Name: "binsl", Count: 5, Tasks: [task(1), task(2)] }],
});

// The job itself and no copy, which is what `JobGetResponse.create` would make: serialised forms are kept by object.
const answer: JobGetResponse = { Job: job, Meta: QueryMeta.create({ Index: 14, KnownLeader: true }) };
const services = { jobs: { get: async () => answer } } as unknown as RegionServices;

async function serve(): Promise<void> {
  const needs = { region: "us", route: () => services, clock: { after: async () => {} } } as unknown as HttpNeeds;
  const app = buildApp(needs);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  process.on("message", () => process.send?.({ cpu: process.cpuUsage() }));
  process.on("disconnect", () => app.close());
  process.send?.({ port: typeof address === "object" ? address?.port : 0 });
}

interface Load {
  readonly port: number;
  readonly connections: number;
  readonly request: string;
}

/** Keeps every connection busy until `until`; latencies in milliseconds. */
async function load({ port, connections, request }: Load, until: number): Promise<number[]> {
  const latencies: number[] = [];
  const run = () =>
    new Promise<void>((resolve, reject) => {
      let sent = 0;
      let expected = 0;
      let received = 0;
      const socket = connect({ port, host: "127.0.0.1", noDelay: true }, next);
      function next() {
        if (performance.now() >= until) return socket.end(resolve);
        sent = performance.now();
        expected = received = 0;
        socket.write(request);
      }
      socket.on("error", reject).on("data", (chunk) => {
        received += chunk.length;
        if (expected === 0) expected = replyLength(chunk);
        if (received < expected) return;
        latencies.push(performance.now() - sent);
        next();
      });
    });
  await Promise.all(Array.from({ length: connections }, run));
  return latencies.sort((a, b) => a - b);
}

function replyLength(chunk: Buffer): number {
  const end = chunk.indexOf("\r\n\r\n");
  const head = chunk.toString("latin1", 0, end);
  if (!head.startsWith("HTTP/1.1 200")) throw new Error(head);
  return end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
}

async function measure(): Promise<void> {
  const [seconds = "5", connections = "32", path = "/v1/job/binstore-storagelocker", ...headers] =
    process.argv.slice(2);
  const child = fork(fileURLToPath(import.meta.url), { env: { ...process.env, BENCH_SERVE: "1" } });
  // biome-ignore lint/suspicious/noExplicitAny: one message of each kind, made above
  const message = () => new Promise<any>((resolve) => child.once("message", resolve));
  const { port } = await message();
  const request = `${[`GET ${path} HTTP/1.1`, "Host: bench", ...headers].join("\r\n")}\r\n\r\n`;
  const target = { port, connections: Number(connections), request };
  const cpuOf = async () => {
    child.send("cpu");
    const { cpu } = await message();
    return cpu.user + cpu.system;
  };
  await load(target, performance.now() + 1000);
  const before = await cpuOf();
  const start = performance.now();
  const latencies = await load(target, start + Number(seconds) * 1000);
  const elapsed = (performance.now() - start) / 1000;
  const cpu = (await cpuOf()) - before;
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(3);
  const count = latencies.length;
  console.log(
    `${path} ×${connections}: ${Math.round(count / elapsed)}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `${(cpu / count).toFixed(1)} µs CPU each, so ${Math.round((1e6 * count) / cpu)}/s on one core`,
  );
  child.disconnect();
}

await (process.env.BENCH_SERVE === "1" ? serve() : measure());
