import type { JetStreamManager } from "@nats-io/jetstream";
import { ERR, JetStreamRefusal, parse } from "./jetstream-api.ts";
import type { NatsRequests } from "./nats-requests.ts";

// Two ways to drop the front of a stream. Purging is one request. But a replicated stream of
// nats-server before 2.10 forgets, when it replays its log after a restart, up to where the purge
// went, and drops everything that was there at the time (nats-server issue 4196, and pull request
// 4357): records that were acknowledged, and no snapshot holds. There, records are deleted one by
// one, about 6,000 a second, and a replay does what was done the first time.

/** Deletions under way at a time: enough to hide the round trips, few enough to leave room for appends. */
const WINDOW = 128;

export interface TruncateContext {
  readonly requests: NatsRequests;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly requestTimeoutMs: number;
}

/** Whether a stream of so many replicas may be purged on a server of this version. */
export function mayPurge(replicas: number, serverVersion: string): boolean {
  const [major = 0, minor = 0] = serverVersion.split(".").map(Number);
  return replicas === 1 || major > 2 || (major === 2 && minor >= 10);
}

/** Drops every record before sequence `keepFrom`. */
export async function purgeBefore({ manager, stream }: TruncateContext, keepFrom: number): Promise<void> {
  await manager.streams.purge(stream, { seq: keepFrom });
}

/** Drops the records of sequences `from` to `to`, both included, the oldest first. */
export async function deleteRange(context: TruncateContext, from: number, to: number): Promise<void> {
  let next = from;
  const deleteOn = async () => {
    while (next <= to) await deleteOne(context, next++);
  };
  await Promise.all(Array.from({ length: WINDOW }, deleteOn));
}

async function deleteOne({ requests, stream, requestTimeoutMs }: TruncateContext, seq: number): Promise<void> {
  // Without `no_erase` the server also overwrites the bytes.
  const body = new TextEncoder().encode(JSON.stringify({ seq, no_erase: true }));
  try {
    parse(await requests.request(`$JS.API.STREAM.MSG.DELETE.${stream}`, body, requestTimeoutMs));
  } catch (error) {
    // Another server truncates too, and was first.
    if (!(error instanceof JetStreamRefusal && error.code === ERR.deleteFailed)) throw error;
  }
}
