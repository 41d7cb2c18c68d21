// Proves that a server which is behind takes nothing into a log that lost what others acknowledged, however quick it
// is. Catches: a server that compares the log with its own copy alone, writes where another server's records were, and
// so leaves two journals that hold different entries at one index, of which a rebuild keeps one.
import { cp, rm } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  create,
  evaluated,
  expectJobs,
  numbered,
  register,
  startNats,
  startRegion,
  stopNats,
} from "../kit/acknowledged.ts";
import type { Agent, Region } from "../kit/cluster.ts";
import { TcpProxy } from "../kit/tcp-proxy.ts";

/** How long the others stay away from NATS: longer than a server waits for them to speak there. */
const AWAY_MS = 5000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function backUp(region: Region): Promise<void> {
  const storeDir = region.nats?.storeDir ?? "";
  await region.nats?.stop();
  await cp(storeDir, `${storeDir}-backup`, { recursive: true });
  await startNats(region);
}

/** NATS ends without warning and comes back as it was at the backup. */
async function goBack(region: Region): Promise<void> {
  const storeDir = region.nats?.storeDir ?? "";
  await stopNats(region);
  await rm(storeDir, { recursive: true });
  await cp(`${storeDir}-backup`, storeDir, { recursive: true });
  await startNats(region);
}

test("NATS goes back, a server that was paused and is behind is there first and written to at once: what the others acknowledged is there (3 servers, 1 NATS node)", async () => {
  const links: TcpProxy[] = [];
  const linked = new Map([
    ["us-server-1", 0],
    ["us-server-2", 1],
  ]);
  await using proxies = new AsyncDisposableStack();
  await using cluster = await create({
    natsUrls: (name) => {
      const link = links[linked.get(name) ?? -1];
      return link && [`nats://${link.address}`];
    },
  });
  const region = await startRegion(cluster, 1, async ({ nats }) => {
    for (const _ of linked) links.push(proxies.use(await TcpProxy.to(new URL(nats?.url ?? "").host)));
  });
  const behind = region.servers.find(({ name }) => !linked.has(name)) as Agent;
  const ahead = region.servers.filter((server) => server !== behind);
  const before = numbered("before", 6);
  await register(region.servers, before);
  behind.signal("SIGSTOP");
  // In the backup, so that the log goes on from what the one that stands still holds: it has nothing of its own to miss.
  await register(ahead, ["in-backup"]);
  await backUp(region);
  const after = numbered("after", 8);
  const index = await register(ahead, after);
  for (const link of links) link.silence();
  await goBack(region);
  behind.signal("SIGCONT");
  const atOnce = numbered("at-once", 4);
  const written = register([behind], atOnce);
  await pause(AWAY_MS);
  for (const link of links) link.heal();

  expect(await written).toBeGreaterThan(index);
  await expectJobs(region.servers, [...before, "in-backup", ...after, ...atOnce], index);
  await evaluated(region, "at-once-0");
}, 240_000);

test("NATS goes back, a server is paused and the others are written to at once: what any of them acknowledged is there when it is back (3 servers, 1 NATS node)", async () => {
  await using cluster = await create();
  const region = await startRegion(cluster, 1);
  const [paused, ...others] = region.servers as [Agent, ...Agent[]];
  const before = numbered("before", 6);
  await register(region.servers, before);
  await backUp(region);
  const after = numbered("after", 8);
  const index = await register(region.servers, after);

  paused.signal("SIGSTOP");
  await goBack(region);
  const atOnce = numbered("at-once", 4);
  const written = register(others, atOnce);
  await pause(AWAY_MS);
  paused.signal("SIGCONT");

  expect(await written).toBeGreaterThan(index);
  await expectJobs(region.servers, [...before, ...after, ...atOnce], index);
}, 240_000);
