// What a forwarded read costs: GET of a realistic job from a server in another process, over this
// package's router and, for comparison, over the client of grpc-js.
//   node packages/regions/bench/forward.ts [seconds]
import { fork } from "node:child_process";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { Job, JobGetRequest, JobGetResponse, JobsDefinition, Member } from "@steppe/proto";
import { createChannels, createDirectory, createGrpcServer, createRouter } from "@steppe/regions";
import { grpcMethods, mapRegionServices } from "@steppe/regions/internal";
import { createClock, createRandom } from "@steppe/runtime";

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const clock = createClock();
const random = createRandom();

const task = (name: string) => ({
  Name: name,
  Driver: "raw_exec",
  Env: { PORT: "8080", LOG_LEVEL: "info", REGION: "eu" },
  Meta: { owner: "web", tier: "front" },
  Constraints: [{ LTarget: "linux", RTarget: "linux", Operand: "=" }],
  Resources: { CPU: 500, MemoryMB: 256 },
});
const group = (name: string) => ({ Name: name, Count: 10, Tasks: [task("server"), task("sidecar")] });
const job = Job.create({
  ...{ ID: "web/frontend", Name: "web/frontend", Namespace: "default", Region: "eu", Type: "service", Priority: 50 },
  ...{ Datacenters: ["dc1", "dc2"], TaskGroups: [group("web"), group("api"), group("cache")], Version: 3 },
});
const answer = JobGetResponse.create({ Job: job, Meta: { Index: 4711, KnownLeader: true } });
const services = mapRegionServices(() => () => Promise.resolve(answer));

if (process.argv[2] === "server") {
  const server = await createGrpcServer({ host: "127.0.0.1", port: 0, clock, logger: quiet }, { region: services });
  process.send?.(server.port);
  process.on("message", () => process.send?.(cpuMs()));
} else {
  const child = fork(import.meta.filename, ["server"]);
  const port = await new Promise<number>((resolve) => child.once("message", (it) => resolve(Number(it))));
  await compare(port, Number(process.argv[2] ?? 3), async () => {
    child.send("cpu");
    return new Promise<number>((resolve) => child.once("message", (it) => resolve(Number(it))));
  });
  child.kill();
}

/** Of this process, all threads. On a busy machine it tells more than the rate. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function compare(port: number, seconds: number, serverCpuMs: () => Promise<number>): Promise<void> {
  console.log(`answer: ${JobGetResponse.encode(answer).finish().length} bytes, ${seconds} s each`);
  const request = JobGetRequest.create({ JobID: "web/frontend", Query: { Namespace: "default" } });
  const call = { signal: new AbortController().signal, timeoutMs: 5_000 };

  const directory = createDirectory({ self: member("us-1.us", "us", 1), failAfterMs: Number.POSITIVE_INFINITY });
  directory.merge([member("eu-1.eu", "eu", port)], clock.monotonicMs());
  const channels = createChannels({ clock, logger: quiet });
  const local = services;
  const router = createRouter({ self: { region: "us" }, directory, local, channels, clock, random, logger: quiet });

  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  const { get } = grpcMethods(JobsDefinition);
  const metadata = new Metadata();
  const grpcJs = () =>
    new Promise<unknown>((resolve, reject) => {
      const encode = (message: JobGetRequest) => Buffer.from(get.encodeRequest(message));
      const options = { deadline: Date.now() + 5_000 };
      client.makeUnaryRequest(get.path, encode, get.decodeResponse, request, metadata, options, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });

  for (const concurrency of [1, 32]) {
    await measure("forwarded", concurrency, seconds, () => router.route("eu").jobs.get(request, call), serverCpuMs);
    await measure("grpc-js client", concurrency, seconds, grpcJs, serverCpuMs);
  }
  client.close();
  channels.close();
}

async function measure(
  name: string,
  concurrency: number,
  seconds: number,
  get: () => Promise<unknown>,
  serverCpuMs: () => Promise<number>,
): Promise<void> {
  await load(concurrency, 1, get);
  const before = [cpuMs(), await serverCpuMs()] as const;
  const times = await load(concurrency, seconds, get);
  const after = [cpuMs(), await serverCpuMs()] as const;
  times.sort((a, b) => a - b);
  const at = (share: number) => `${times[Math.floor(times.length * share)]?.toFixed(3)} ms`;
  const cpu = (side: 0 | 1) => `${Math.round(((after[side] - before[side]) * 1_000) / times.length)} us`;
  const rate = `${Math.round(times.length / seconds)}/s, p50 ${at(0.5)}, p99 ${at(0.99)}`;
  console.log(`${name}, ${concurrency} at once: ${rate}; CPU a call: client ${cpu(0)}, server ${cpu(1)}`);
}

async function load(concurrency: number, seconds: number, get: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const endMs = performance.now() + seconds * 1_000;
  const one = async () => {
    for (let beforeMs = performance.now(); beforeMs < endMs; ) {
      await get();
      const afterMs = performance.now();
      times.push(afterMs - beforeMs);
      beforeMs = afterMs;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return times;
}

function member(name: string, region: string, port: number): Member {
  return Member.create({
    Name: name,
    Region: region,
    Address: "127.0.0.1",
    GrpcPort: port,
    Heartbeat: 1,
    Status: "alive",
  });
}
