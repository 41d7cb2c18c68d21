// Proves that a snapshot on a server's disk gets to its region's NATS by a process that reaches NATS as the server does, and
// that one that cannot be brought is told of and takes nothing away. Catches: credentials that the process lacks, half a snapshot.
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SnapshotFolder } from "@steppe/log";
import { startNats } from "@steppe/log/internal";
import { connectNats, openRegionLogs } from "@steppe/log/nats";
import { silentLogger } from "@steppe/model";
import { createClock, createFiles } from "@steppe/runtime";
import { upload } from "@steppe/server/internal";
import { expect, onTestFinished, test } from "vitest";

const LOG = { epoch: 0, id: "", base: 0 };

test("snapshot of the disk brought to a NATS with a password; one that is damaged, or refused, changes nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "steppe-upload-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await using nats = await startNats({ args: ["--user", "steppe", "--pass", "secret"] });
  const as = { servers: [nats.url], user: "steppe", pass: "secret", name: "test" };
  const connection = await connectNats({ ...as, logger: silentLogger });
  onTestFinished(() => connection.close());
  const logs = await openRegionLogs({ connection, region: "us", replicas: 1, clock: createClock() });
  const held = () => logs.snapshots(LOG).load();

  const snapshots = new SnapshotFolder(createFiles(), folder, silentLogger);
  const content = (index: number) => new Uint8Array(Buffer.alloc(3_000_000, `snapshot ${index}`));
  const save = async (index: number) => {
    const about = { index, region: "us", digest: 7, time: 9, version: "1", log: LOG };
    await snapshots.save(about, [content(index)]);
  };
  const bring = (index: number, how = {}, signal = new AbortController().signal) =>
    upload({ region: "us", log: LOG, replicas: 1, folder, index, urgent: false, nats: { ...as, ...how } }, signal);

  await save(5);
  await bring(5);
  expect(await held()).toEqual({ index: 5, data: content(5) });

  await save(8);
  await expect(bring(8, { pass: "other" })).rejects.toThrow("cannot reach NATS");
  await expect(bring(8, {}, AbortSignal.abort(new Error("the server stops")))).rejects.toThrow("the server stops");
  const file = readFileSync(snapshots.pathOf(8));
  file[2_000_000] = (file[2_000_000] as number) ^ 1;
  writeFileSync(snapshots.pathOf(8), file);
  await expect(bring(8)).rejects.toThrow("is damaged");
  expect(await held()).toEqual({ index: 5, data: content(5) });

  await save(9);
  await bring(9);
  expect(await held()).toEqual({ index: 9, data: content(9) });
});
