import { type JetStreamManager, jetstream, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { type ObjectStore, Objm } from "@nats-io/obj";
import type { Clock } from "@steppe/model";

/**
 * Snapshots in the region's object store. Each is an object of its own, named by its index; an
 * object is listed only when all of it is there. The largest index is the snapshot, and what is
 * below it is removed, so two servers that save at the same time cannot replace a newer one by an
 * older one.
 */
export interface SnapshotStore {
  save(index: number, data: Uint8Array): Promise<void>;
  load(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined>;
}

export interface SnapshotStoreOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly clock: Clock;
  readonly bucket: string;
  readonly replicas: number;
  /** Longest that one attempt to read a snapshot may take, milliseconds. */
  readonly loadTimeoutMs: number;
  /** How long to go on trying while the NATS cluster has no leader for the bucket, milliseconds. */
  readonly retryTimeoutMs: number;
}

/** Digits of the largest safe integer, so that names sort as their numbers. */
const INDEX_DIGITS = 16;
const PREFIX = "snapshot-";
const RETRY_MS = 250;

export function createSnapshotStore(options: SnapshotStoreOptions): SnapshotStore {
  const { connection, manager, bucket, replicas } = options;
  const stream = `OBJ_${bucket}`;
  let opened: Promise<ObjectStore> | undefined;

  const open = () => {
    opened ??= new Objm(jetstream(connection)).create(bucket, { replicas, storage: StorageType.File });
    // A failure is told to this caller only; the next one tries again.
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };

  /** Indexes of the objects there, ascending; one that was just removed may be among them. */
  const indexes = async () => {
    const filter = `$O.${bucket}.M.>`;
    const info = await manager.streams.info(stream, { subjects_filter: filter });
    return Object.keys(info.state.subjects ?? {})
      .map((subject) => indexOf(Buffer.from(subject.slice(filter.length - 1), "base64url").toString()))
      .filter((index) => index !== undefined)
      .sort((a, b) => a - b);
  };

  const remove = async (store: ObjectStore, index: number) => {
    await store.delete(nameOf(index));
    // Deleting leaves a tombstone; there would be one for every snapshot ever made.
    await manager.streams.purge(stream, { filter: `$O.${bucket}.M.${encodeName(nameOf(index))}` });
  };

  const save = async (index: number, data: Uint8Array) => {
    const store = await open();
    await store.putBlob({ name: nameOf(index) }, data);
    const all = await indexes();
    for (const older of all.slice(0, -1)) await remove(store, older);
  };

  // A leader that was just elected may answer for the bucket as it was before the last writes. It
  // acknowledges a write of its own only after it has taken in all of those.
  const catchUp = async () => {
    const subject = `$O.${bucket}.C.catch-up`;
    await jetstream(connection).publish(subject, new Uint8Array(0));
    await manager.streams.purge(stream, { filter: subject });
  };

  const load = async () => {
    const store = await open();
    await catchUp();
    const newest = (await indexes()).at(-1);
    if (newest === undefined) return undefined;
    const data = await withTimeout(store.getBlob(nameOf(newest)), options);
    // Another server saved a newer one and removed this one meanwhile; the next attempt finds it.
    if (data === null) throw new Error(`snapshot ${newest} in bucket ${bucket} cannot be read`);
    return { index: newest, data };
  };

  return {
    save: (index, data) => persistently(options, () => save(index, data)),
    load: () => persistently(options, load),
  };
}

/** Both are harmless to repeat, and a cluster that elects a leader answers with all kinds of errors. */
async function persistently<T>({ clock, retryTimeoutMs }: SnapshotStoreOptions, attempt: () => Promise<T>): Promise<T> {
  const deadline = clock.monotonicMs() + retryTimeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (clock.monotonicMs() >= deadline) throw error;
      await clock.after(RETRY_MS);
    }
  }
}

function nameOf(index: number): string {
  return PREFIX + String(index).padStart(INDEX_DIGITS, "0");
}

function indexOf(name: string): number | undefined {
  const digits = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
  return /^\d{16}$/.test(digits) ? Number(digits) : undefined;
}

/** As the object store writes a name into a subject: URL-safe base64, padded. */
function encodeName(name: string): string {
  return Buffer.from(name).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
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
