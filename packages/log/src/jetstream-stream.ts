import { DiscardPolicy, type JetStreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { Clock, Logger } from "@steppe/model";
import { ERR, JetStreamRefusal, type StreamState, streamState } from "./jetstream-api.ts";
import { type NatsRequests, RequestError } from "./nats-requests.ts";
import type { RegionNames } from "./region-name.ts";

export interface StreamOptions {
  readonly names: RegionNames;
  readonly replicas: number;
  readonly base: number;
  readonly openTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export interface OpenedStream {
  readonly created: string;
  readonly base: number;
}

/** Between two attempts while the NATS cluster is still coming up. */
const RETRY_MS = 200;

/**
 * The region's stream, made when it is absent. Any number of servers may do this at once. A
 * cluster that has no leader yet is waited for.
 */
export async function openStream(
  requests: NatsRequests,
  manager: JetStreamManager,
  clock: Clock,
  logger: Logger,
  options: StreamOptions,
): Promise<OpenedStream> {
  const deadline = clock.monotonicMs() + options.openTimeoutMs;
  for (;;) {
    try {
      const state = await findOrCreate(requests, manager, options);
      warnOfOtherReplicas(state, logger, options);
      return { created: state.created, base: baseOf(state.description, options.names.stream) };
    } catch (error) {
      if (error instanceof BadStreamError || clock.monotonicMs() >= deadline)
        throw explain(error, options.names.stream);
      logger.debug({ err: error }, "the stream is not there yet");
      await clock.after(RETRY_MS);
    }
  }
}

async function findOrCreate(
  requests: NatsRequests,
  manager: JetStreamManager,
  { names, replicas, base, requestTimeoutMs }: StreamOptions,
): Promise<StreamState> {
  try {
    return await streamState(requests, names.stream, requestTimeoutMs);
  } catch (error) {
    if (!(error instanceof JetStreamRefusal) || error.code !== ERR.streamNotFound) throw error;
  }
  // A race with another server is settled by NATS: the later one is told that the name is in use,
  // or that it made the same stream, and looks again.
  await manager.streams.add({
    name: names.stream,
    subjects: [names.logSubject],
    description: JSON.stringify({ base }),
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msg_size: -1,
    // Truncation needs both; see jetstream-truncate.ts.
    deny_delete: false,
    deny_purge: false,
  });
  return await streamState(requests, names.stream, requestTimeoutMs);
}

function warnOfOtherReplicas(state: StreamState, logger: Logger, options: StreamOptions): void {
  if (state.replicas === options.replicas) return;
  logger.warn(
    { stream: options.names.stream, configured: options.replicas, actual: state.replicas },
    "the stream has another number of replicas than configured; it is left as it is",
  );
}

/** nats-server 2.9 has no stream metadata, so the base stands in the description. */
export function baseOf(description: string, stream: string): number {
  try {
    const { base } = JSON.parse(description) as { base: unknown };
    if (Number.isSafeInteger(base) && (base as number) >= 0) return base as number;
  } catch {
    // Said below: whatever is wrong with the description, the stream is not ours.
  }
  throw new BadStreamError(
    `stream ${stream} is not a log of Steppe: its description is ${JSON.stringify(description)}`,
  );
}

export class BadStreamError extends Error {}

function explain(error: unknown, stream: string): Error {
  if (error instanceof BadStreamError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const hint =
    error instanceof RequestError && error.reason === "no-responders"
      ? " (is JetStream enabled on the NATS servers, and is there a majority of them?)"
      : "";
  return new Error(`cannot open stream ${stream}: ${reason}${hint}`, { cause: error });
}
