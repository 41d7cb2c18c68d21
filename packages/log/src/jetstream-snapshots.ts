import { type JetStreamManager, jetstream, StorageType } from "@nats-io/jetstream";
import { type NatsConnection, nuid } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import type { Clock } from "@steppe/model";
import type { SnapshotData } from "./log.ts";
import { SnapshotFileError } from "./snapshots/snapshot-file.ts";

/**
 * Snapshots in object-store buckets of the region. Each has a bucket of its own, named by its
 * index, that holds one object; an object is listed only when all of it is there. The largest
 * index with an object is the snapshot, and the buckets below it are removed, so two servers that
 * save at the same time cannot replace a newer one by an older one.
 *
 * One bucket for all would be tidier. But removing an object purges its part of the bucket's
 * stream, and nats-server before 2.10 may purge the whole stream when it replays that after a
 * restart (nats-server issue 4196). Removing a bucket is safe.
 */
export interface SnapshotStore {
  save(index: number, data: SnapshotData): Promise<void>;
  /** The largest index of any, whether whole or not; 0 = there is none. */
  newest(): Promise<number>;
  load(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined>;
}

export interface SnapshotStoreOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly clock: Clock;
  /** What the buckets' names begin with. */
  readonly prefix: string;
  readonly replicas: number;
  /** Longest that one attempt to read a snapshot may take, milliseconds. */
  readonly loadTimeoutMs: number;
  /** How long to go on trying while the NATS cluster elects leaders, milliseconds. */
  readonly retryTimeoutMs: number;
}

/** Digits of the largest safe integer, so that names sort as their numbers. */
const INDEX_DIGITS = 16;
/** The object store puts this before a bucket's name to make its stream's. */
const STREAM_PREFIX = "OBJ_";
const RETRY_MS = 250;

export function createSnapshotStore(options: SnapshotStoreOptions): SnapshotStore {
  const { connection, manager, prefix, replicas } = options;
  const client = jetstream(connection);
  const bucketOf = (index: number) => prefix + String(index).padStart(INDEX_DIGITS, "0");

  /** Indexes that have a bucket, ascending; what is in it may be nothing yet. */
  const indexes = async () => {
    const found: number[] = [];
    for await (const name of manager.streams.names()) {
      const digits = name.startsWith(STREAM_PREFIX + prefix) ? name.slice((STREAM_PREFIX + prefix).length) : "";
      if (/^\d{16}$/.test(digits)) found.push(Number(digits));
    }
    return found.sort((a, b) => a - b);
  };

  /** Name of the object in a bucket; undefined when none was written to its end. */
  const objectIn = async (bucket: string) => {
    const filter = `$O.${bucket}.M.>`;
    const info = await manager.streams.info(STREAM_PREFIX + bucket, { subjects_filter: filter });
    const subject = Object.keys(info.state.subjects ?? {})[0];
    return subject === undefined ? undefined : Buffer.from(subject.slice(filter.length - 1), "base64url").toString();
  };

  // A leader that was just elected may answer for the bucket as it was before the last writes. It
  // acknowledges a write of its own only after it has taken in all of those.
  const caughtUp = async (bucket: string) => {
    await client.publish(`$O.${bucket}.C.catch-up`, new Uint8Array(0));
    return await objectIn(bucket);
  };

  const read = async (index: number) => {
    const bucket = bucketOf(index);
    const name = (await objectIn(bucket)) ?? (await caughtUp(bucket));
    if (name === undefined) return undefined;
    const store = await new Objm(client).open(bucket);
    const data = await withTimeout(store.getBlob(name), options);
    if (data === null) throw new Error(`the snapshot in bucket ${bucket} cannot be read`);
    return { index, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  };

  const save = async (index: number, data: SnapshotData) => {
    const bucket = bucketOf(index);
    const store = await new Objm(client).create(bucket, { replicas, storage: StorageType.File });
    // A name of its own for each attempt: one that was used before would be purged.
    if ((await caughtUp(bucket)) === undefined) {
      const meta = { name: nuid.next() };
      if (typeof data === "function") await store.put(meta, ReadableStream.from(data()));
      else await store.putBlob(meta, data);
    }
    // Of a newer one, only its own writer knows whether it is complete.
    for (const older of (await indexes()).filter((other) => other < index)) {
      await manager.streams.delete(STREAM_PREFIX + bucketOf(older));
    }
  };

  const load = async () => {
    for (const index of (await indexes()).reverse()) {
      const snapshot = await read(index);
      if (snapshot !== undefined) return snapshot;
    }
    return undefined;
  };

  return {
    save: (index, data) => persistently(options, () => save(index, data)),
    load: () => persistently(options, load),
    newest: () => persistently(options, async () => (await indexes()).at(-1) ?? 0),
  };
}

/**
 * Both are harmless to repeat. A cluster that elects a leader answers with all kinds of errors,
 * and another server may remove a bucket while it is read here.
 */
async function persistently<T>(options: SnapshotStoreOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock, retryTimeoutMs } = options;
  const deadline = clock.monotonicMs() + retryTimeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      // Read again, a damaged file is no better.
      if (error instanceof SnapshotFileError || clock.monotonicMs() >= deadline) throw error;
      await clock.after(RETRY_MS);
    }
  }
}

async function withTimeout<T>(value: Promise<T>, { clock, loadTimeoutMs }: SnapshotStoreOptions): Promise<T> {
  const timer = new AbortController();
  const late = clock.after(loadTimeoutMs, timer.signal).then(() => {
    throw new Error(`reading a snapshot took longer than ${loadTimeoutMs} ms`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([value, late]);
  } finally {
    timer.abort();
  }
}
