// The main job, on this machine: three regions, a job registered from one into another, watched
// until it runs, and again while a server of that region is killed. With --keep the cluster goes
// on running until Ctrl-C.
import { parseArgs } from "node:util";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";
import { Cluster, type RegionShape } from "../kit/cluster.ts";
import { demoJob } from "./job.ts";

const HELP = `Usage: npm run demo
       npm start

Starts three regions on this machine (us, eu, ap), registers a job through us into eu, watches it run, kills a server of
eu and registers another. As "npm start" (--keep) the regions are left running until Ctrl-C.
`;

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
const KEEP = values.keep;
const RUN_TIMEOUT_MS = 60_000;
const HTTP_PORTS = { us: 4646, eu: 5646, ap: 6646 } as const;

const begun = performance.now();

function say(text: string): void {
  process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(2).padStart(7)} s  ${text}\n`);
}

function detail(text: string): void {
  process.stdout.write(`           ${text}\n`);
}

async function main(): Promise<void> {
  await using cluster = await Cluster.create();
  if (!KEEP) process.once("SIGTERM", () => void cluster.close().finally(() => process.exit(143)));
  if (cluster.embedded) {
    say("No nats-server was found: each region runs one server on its embedded log, which schedules too.");
    detail("With nats-server installed (npm run setup tells how), each region has two servers and a worker.");
  }
  for (const name of ["us", "eu", "ap"] as const) await startRegion(cluster, name);
  await regionsKnown(cluster);
  if (KEEP) return await keep(cluster);
  await registerAcross(cluster, "hello");
  if (cluster.embedded) say("With one server in eu there is none to kill; that part of the story is left out.");
  else await killAndRegister(cluster);
  await cluster.stopJobs();
  say("Stopped the jobs. Done. `npm start` leaves such a cluster running.");
}

async function startRegion(cluster: Cluster, name: keyof typeof HTTP_PORTS): Promise<void> {
  const shape: RegionShape = { name, servers: 2, workers: 1, clients: 1, httpPort: KEEP ? HTTP_PORTS[name] : 0 };
  const started = performance.now();
  const region = await cluster.addRegion(shape);
  const parts = [
    ...(region.nats ? ["nats-server"] : []),
    `${region.servers.length} server${region.servers.length > 1 ? "s" : ""}`,
    ...(region.workers.length > 0 ? [`${region.workers.length} worker`] : []),
    `${region.clients.length} node agent`,
  ];
  say(`Region ${name} is up: ${parts.join(", ")} (${Math.round(performance.now() - started)} ms).`);
  for (const server of region.servers) detail(`${server.name} serves ${server.http}`);
}

/** Every region must know the others before a request can be forwarded. */
async function regionsKnown(cluster: Cluster): Promise<void> {
  const us = cluster.region("us").servers[0]?.http;
  const wanted = [...cluster.regions.keys()].sort();
  await eventually("all regions know each other", 15_000, async () => {
    const { body } = await call("GET", `${us}/v1/regions`);
    if (JSON.stringify(body) !== JSON.stringify(wanted)) throw new Error(`regions: ${JSON.stringify(body)}`);
  });
  say(`The regions know each other: ${wanted.join(", ")}.`);
}

async function registerAcross(cluster: Cluster, id: string): Promise<void> {
  const us = cluster.region("us").servers[0]?.http;
  const url = `${us}/v1/job/${id}`;
  const sent = performance.now();
  const { status, body, index } = await call("PUT", `${url}?region=eu`, { Job: demoJob(id) });
  if (status !== 200) throw new Error(`registering ${id} answered ${status}: ${String(body)}`);
  say(
    `Registered job "${id}" through us into eu in ${(performance.now() - sent).toFixed(1)} ms (index ${index}, evaluation ${body.EvalID.slice(0, 8)}).`,
  );
  const running = await watchUntil<Json[]>(`${url}/allocations?region=eu`, allRunning, RUN_TIMEOUT_MS);
  say(
    `A blocking query through us saw all ${running.body.length} allocations running, ${Math.round(performance.now() - sent)} ms after the request:`,
  );
  for (const it of running.body) detail(`${it.Name}  ${it.ClientStatus}  on ${it.NodeName} (${it.ID.slice(0, 8)})`);
  const own = await call("GET", url);
  detail(`In us itself the job does not exist (${own.status} ${String(own.body)}): it lives in eu alone.`);
}

async function killAndRegister(cluster: Cluster): Promise<void> {
  const eu = cluster.region("eu");
  const [victim] = eu.servers;
  if (victim === undefined) throw new Error("eu has no server to kill");
  await victim.kill();
  say(`Killed ${victim.name} (SIGKILL).`);
  await registerAcross(cluster, "hello-again");
  const survivors = eu.servers.filter((server) => server !== victim);
  const { body } = await call("GET", `${survivors[0]?.http}/v1/jobs`);
  say(`${survivors[0]?.name} has both jobs: ${body.map((job: Json) => `${job.ID} (${job.Status})`).join(", ")}.`);
}

function allRunning(allocations: Json[]): boolean {
  return allocations.length > 0 && allocations.every((it) => it.ClientStatus === "running");
}

async function keep(cluster: Cluster): Promise<void> {
  say("The cluster runs until Ctrl-C. For example:");
  const us = cluster.region("us").servers[0]?.http;
  detail(`curl ${us}/v1/regions`);
  detail(`curl -X PUT -d @examples/hello.json "${us}/v1/job/hello?region=eu"`);
  detail(`curl "${us}/v1/job/hello/allocations?region=eu"`);
  detail(`NOMAD_ADDR=${us} nomad server members`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  say("Stopping …");
  await cluster.stopJobs();
}

if (values.help) process.stdout.write(HELP);
else
  await main().catch((error: unknown) => {
    process.stderr.write(
      `\nThe demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  });
