/**
 * The process that brings a snapshot of a server's disk to its region's NATS. In the server it took seconds of the
 * thread that serves for each 100 MB, and its buffers had V8 collect the whole heap over and over.
 */
import { SnapshotFolder } from "@steppe/log";
import { connectNats, openRegionLogs } from "@steppe/log/nats";
import { silentLogger } from "@steppe/model";
import { createClock, createFiles } from "@steppe/runtime";
import { work } from "./apart-work.ts";
import type { UploadOptions } from "./upload.ts";

await work(async ({ folder, index, nats, region, replicas, log }: UploadOptions) => {
  const snapshots = new SnapshotFolder(createFiles(), folder, silentLogger);
  const connection = await connectNats({ ...nats, logger: silentLogger });
  const logs = await openRegionLogs({ connection, region, replicas, clock: createClock() });
  await logs.snapshots(log).save(index, () => snapshots.records(index));
});
