import type { JetStreamManager } from "@nats-io/jetstream";
import type { Clock, Logger } from "@steppe/model";
import type { LogIdentity } from "./identity.ts";
import { ERR, JetStreamRefusal, type StreamState, streamState } from "./jetstream-api.ts";
import { type NatsRequests, RequestError } from "./nats-requests.ts";
import { logStreams, streamConfig } from "./region-logs.ts";
import { logNames, type RegionNames } from "./region-name.ts";

export interface StreamOptions {
  readonly names: RegionNames;
  readonly replicas: number;
  /** Base of a first log that has to be made. */
  readonly base: number;
  /** The log to open, which is there. Undefined: the newest, made when there is none. */
  readonly identity: LogIdentity | undefined;
  readonly create: boolean;
  readonly openTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export interface OpenedStream {
  readonly created: string;
  readonly identity: LogIdentity;
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
      const { stream, state } = await findOrCreate(requests, manager, options);
      warnOfOtherReplicas(state, logger, options);
      return { created: state.created, identity: identityOf(state.description, stream) };
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
  { names, replicas, base, identity, create, requestTimeoutMs }: StreamOptions,
): Promise<{ stream: string; state: StreamState }> {
  const stream = identity === undefined ? await newestStream(manager, names) : logNames(names, identity).stream;
  try {
    return { stream, state: await streamState(requests, stream, requestTimeoutMs) };
  } catch (error) {
    const absent = error instanceof JetStreamRefusal && error.code === ERR.streamNotFound;
    if (!absent || !create || stream !== names.stream || identity !== undefined) throw error;
  }
  // A race with another server is settled by NATS: the later one is told that the name is in use,
  // or that it made the same stream, and looks again.
  await manager.streams.add(streamConfig(names, { epoch: 0, id: "", base }, replicas));
  return { stream, state: await streamState(requests, stream, requestTimeoutMs) };
}

/** The stream of the largest epoch; the first one's name when there is none. */
async function newestStream(manager: JetStreamManager, names: RegionNames): Promise<string> {
  const epochOf = (stream: string) => Number(stream.slice(names.stream.length + 1));
  const newest = (await logStreams(manager, names)).sort((a, b) => epochOf(b) - epochOf(a))[0];
  return newest ?? names.stream;
}

function warnOfOtherReplicas(state: StreamState, logger: Logger, options: StreamOptions): void {
  if (state.replicas === options.replicas) return;
  logger.warn(
    { stream: options.names.stream, configured: options.replicas, actual: state.replicas },
    "the stream has another number of replicas than configured; it is left as it is",
  );
}

/** nats-server 2.9 has no stream metadata, so the identity stands in the description. */
export function identityOf(description: string, stream: string): LogIdentity {
  try {
    const { base, epoch = 0, id = "" } = JSON.parse(description) as Partial<Record<keyof LogIdentity, unknown>>;
    if (isCount(base) && isCount(epoch) && typeof id === "string") return { epoch, id, base };
  } catch {
    // Said below: whatever is wrong with the description, the stream is not ours.
  }
  throw new BadStreamError(
    `stream ${stream} is not a log of Steppe: its description is ${JSON.stringify(description)}`,
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
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
