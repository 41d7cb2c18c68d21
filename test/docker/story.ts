// Tells of a cluster that `docker compose -f deploy/compose.yaml up` has started on this machine: three regions
// healthy, and a job registered through one of them that runs in another.
import { demoJob } from "../demo/job.ts";
import { call, eventually, type Json, watchUntil } from "../kit/api.ts";

const HTTP = { us: "http://127.0.0.1:4646", eu: "http://127.0.0.1:5646", ap: "http://127.0.0.1:6646" } as const;
const START_TIMEOUT_MS = 180_000;
const RUN_TIMEOUT_MS = 60_000;
const JOB = "hello-compose";

const begun = performance.now();
const say = (text: string) =>
  process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(2).padStart(7)} s  ${text}\n`);
const detail = (text: string) => process.stdout.write(`           ${text}\n`);

async function main(): Promise<void> {
  for (const [region, url] of Object.entries(HTTP)) await regionIsHealthy(region, url);
  await eventually("all regions know each other", START_TIMEOUT_MS, async () => {
    const { body } = await call("GET", `${HTTP.us}/v1/regions`);
    if (JSON.stringify(body) !== '["ap","eu","us"]') throw new Error(`regions: ${JSON.stringify(body)}`);
  });
  say("The regions know each other, over gRPC under mutual TLS.");
  const url = `${HTTP.us}/v1/job/${JOB}`;
  const sent = performance.now();
  const { status, body } = await call("PUT", `${url}?region=eu`, { Job: demoJob(JOB) });
  if (status !== 200) throw new Error(`registering answered ${status}: ${String(body)}`);
  say(`Registered job "${JOB}" through us into eu in ${(performance.now() - sent).toFixed(1)} ms.`);
  const running = await watchUntil<Json[]>(
    `${url}/allocations?region=eu`,
    (all) => all.length > 0 && all.every((it) => it.ClientStatus === "running"),
    RUN_TIMEOUT_MS,
  );
  say(`All ${running.body.length} of its tasks run, ${Math.round(performance.now() - sent)} ms after the request:`);
  for (const it of running.body) detail(`${it.Name}  ${it.ClientStatus}  on ${it.NodeName}`);
  const through = await call<Json[]>("GET", `${HTTP.ap}/v1/jobs?region=eu`);
  detail(`ap sees it in eu, too: ${through.body.map((job) => `${job.ID} (${job.Status})`).join(", ")}`);
  const own = await call("GET", url);
  detail(`In us itself it does not exist (${own.status} ${own.text}): it lives in eu alone.`);
  await call("DELETE", `${url}?region=eu&purge=true`);
  say("Stopped it. The cluster goes on running.");
}

async function regionIsHealthy(region: string, url: string): Promise<void> {
  await eventually(`region ${region} is healthy`, START_TIMEOUT_MS, async () => {
    const health = await call("GET", `${url}/v1/agent/health`);
    if (health.status !== 200) throw new Error(`${health.status} ${health.text}`);
    const nodes = await call<Json[]>("GET", `${url}/v1/nodes`);
    if (!nodes.body.some((node) => node.Status === "ready")) throw new Error("no node is ready");
  });
  const leader = await eventually(`region ${region} has a lease holder`, START_TIMEOUT_MS, async () => {
    const { body } = await call<string>("GET", `${url}/v1/status/leader`);
    if (body === "") throw new Error("nobody holds the lease");
    return body;
  });
  const nodes = await call<Json[]>("GET", `${url}/v1/nodes`);
  say(
    `Region ${region} is healthy: ${url}, lease holder ${leader}, nodes ${nodes.body.map((it) => it.Name).join(", ")}.`,
  );
}

await main().catch((error: unknown) => {
  process.stderr.write(
    `\nThe story failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
