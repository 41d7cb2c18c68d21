import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { type Clock, type Logger, SteppeError } from "@steppe/model";
import { type LogIdentity, markOf, type RecordMark } from "./identity.ts";
import { ERR, JetStreamRefusal, parse, type StreamState, streamState } from "./jetstream-api.ts";
import { fetchRecord } from "./jetstream-fetch.ts";
import { createSnapshotStore, type SnapshotStore } from "./jetstream-snapshots.ts";
import { type OpenedStream, openStream } from "./jetstream-stream.ts";
import { type Deliver, tailStream } from "./jetstream-tail.ts";
import { deleteRange, mayPurge, purgeBefore } from "./jetstream-truncate.ts";
import {
  AppendError,
  LogGapError,
  type LogReplica,
  PayloadTooLargeError,
  SILENCE_MAX_MS,
  type SnapshotData,
} from "./log.ts";
import { createNatsLink, type NatsLink } from "./nats-link.ts";
import { createNatsRequests, type NatsRequests, RequestError } from "./nats-requests.ts";
import { noQuorum } from "./proposals.ts";
import type { LogSpan, RegionLog } from "./region-log.ts";
import { logNames, type RegionNames, regionNames } from "./region-name.ts";

export interface JetStreamLogOptions {
  /** Stays the caller's; closing the log leaves it open. */
  readonly connection: NatsConnection;
  readonly region: string;
  /** Of a stream that has to be made: 1, 3 or 5. */
  readonly replicas: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Index before the first record of a stream that has to be made; default 0. */
  readonly base?: number;
  /** The log to open, which has to be there. By default the region's newest, made when there is none. */
  readonly identity?: LogIdentity;
  /** Whether a region without a log gets one; default true. Else it is waited for. */
  readonly create?: boolean;
  /** How long an append waits for its acknowledgement, milliseconds; default 5 s. */
  readonly ackTimeoutMs?: number;
  /** How long to wait for a cluster that is still coming up, milliseconds; default 30 s. */
  readonly openTimeoutMs?: number;
}

const ACK_TIMEOUT_MS = 5000;
const OPEN_TIMEOUT_MS = 30_000;
/** Of one JetStream API request; a cluster without a leader answers none. */
const REQUEST_TIMEOUT_MS = 2000;
const SNAPSHOT_LOAD_TIMEOUT_MS = 120_000;
/**
 * An append that is not acknowledged by then is sent again: while the stream's leader hangs, nobody says that
 * there is a new one. Longer than a disk takes that syncs each record.
 */
const RESEND_MS = 1000;
/**
 * Silence of the stream's leader after which this process counts as cut off: a cluster takes 4 to 9 s to elect
 * another, so its NATS node is cut from its peers, or there is no quorum.
 */
const LEADER_SILENCE_MAX_MS = 10_000;
const RETRY_MS = 100;
/** How often a reader looks whether the stream is still the region's log. */
const WATCH_MS = 2000;
/** Room for the subject and headers that the server counts into a message. */
const PAYLOAD_HEADROOM = 4096;

/** The server says these before it stores anything. */
const NOT_STORED: ReadonlySet<number> = new Set([
  ERR.accountResources,
  ERR.insufficientResources,
  ERR.memoryResources,
  ERR.notEnabledForAccount,
  ERR.storageResources,
  ERR.messageTooLarge,
  ERR.streamNotFound,
  ERR.notEnabled,
  ERR.headerTooLarge,
  ERR.sealed,
]);

/** Opens the region's log. Rejects when the NATS cluster does not serve it in time. */
export async function openJetStreamLog(options: JetStreamLogOptions): Promise<RegionLog> {
  const { connection, clock, logger } = options;
  const names = regionNames(options.region);
  const link = createNatsLink(connection, clock);
  const requests = createNatsRequests(connection, link, clock);
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: REQUEST_TIMEOUT_MS * 2 });
    const stream = await openStream(requests, manager, clock, logger, {
      names,
      replicas: options.replicas,
      base: options.base ?? 0,
      identity: options.identity,
      create: options.create ?? true,
      openTimeoutMs: options.openTimeoutMs ?? OPEN_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    });
    return new JetStreamLog(options, names, link, requests, manager, stream);
  } catch (error) {
    requests.close();
    link.close();
    throw error;
  }
}

class JetStreamLog implements RegionLog {
  readonly identity: LogIdentity;
  readonly #options: JetStreamLogOptions;
  readonly #names: Pick<RegionNames, "stream" | "logSubject" | "snapshotPrefix">;
  readonly #link: NatsLink;
  readonly #requests: NatsRequests;
  readonly #manager: JetStreamManager;
  readonly #stream: OpenedStream;
  readonly #snapshots: SnapshotStore;
  readonly #closed = new AbortController();
  /** Aborts once it is known that another log has followed this one. */
  readonly #replaced = new AbortController();
  /** Largest index that this process saw acknowledged or delivered. */
  #highest = 0;
  /** When the stream's leader last answered, on the monotonic clock; undefined while nobody watches it. */
  #leaderHeardMs: number | undefined;
  /** As last seen or told; undefined: not known since the last break. */
  #leader: string | undefined;
  readonly #breakListeners = new Set<(why: string) => void>();
  /** Appends to which no answer came, since the last one that was answered; on the monotonic clock. */
  #unanswered: { readonly firstMs: number; readonly lastMs: number } | undefined;

  constructor(
    options: JetStreamLogOptions,
    names: RegionNames,
    link: NatsLink,
    requests: NatsRequests,
    manager: JetStreamManager,
    stream: OpenedStream,
  ) {
    this.#options = options;
    this.identity = stream.identity;
    this.#names = logNames(names, stream.identity);
    this.#link = link;
    this.#requests = requests;
    this.#manager = manager;
    this.#stream = stream;
    this.#snapshots = createSnapshotStore({
      connection: options.connection,
      manager,
      clock: options.clock,
      prefix: this.#names.snapshotPrefix,
      replicas: options.replicas,
      loadTimeoutMs: SNAPSHOT_LOAD_TIMEOUT_MS,
      retryTimeoutMs: options.openTimeoutMs ?? OPEN_TIMEOUT_MS,
    });
    this.#watchBreaks(options.connection);
  }

  // Servers of one cluster may differ in their limit while it is being changed, so it is asked anew.
  get payloadMax(): number {
    return (this.#options.connection.info?.max_payload ?? 1024 * 1024) - PAYLOAD_HEADROOM;
  }

  async append(payload: Uint8Array, signal?: AbortSignal): Promise<number> {
    if (payload.length > this.payloadMax) throw new PayloadTooLargeError(payload.length, this.payloadMax);
    if (this.#closed.signal.aborted) throw new AppendError("refused", "the log is closed");
    const before = this.#highest;
    const sentMs = this.#options.clock.monotonicMs();
    try {
      const timeoutMs = this.#options.ackTimeoutMs ?? ACK_TIMEOUT_MS;
      const answer = await this.#requests.request(this.#names.logSubject, payload, timeoutMs, signal, RESEND_MS);
      const ack = parse<{ stream: string; seq: number }>(answer);
      return this.#acknowledged(ack.stream, this.identity.base + ack.seq, before);
    } catch (error) {
      if (error instanceof JetStreamRefusal) this.#unanswered = undefined;
      else this.#unanswered = { firstMs: this.#unanswered?.firstMs ?? sentMs, lastMs: sentMs };
      if (error instanceof JetStreamRefusal && error.code === ERR.sealed) this.#replaced.abort();
      throw error instanceof AppendError ? error : appendError(error);
    }
  }

  async tail(after: number, deliver: Deliver, signal: AbortSignal, seen?: RecordMark): Promise<void> {
    const { connection, clock, logger } = this.#options;
    const context = {
      connection,
      requests: this.#requests,
      link: this.#link,
      clock,
      logger,
      stream: this.#names.stream,
      created: this.#stream.created,
      base: this.identity.base,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      received: (index: number) => this.#saw(index),
    };
    const stop = AbortSignal.any([signal, this.#closed.signal, this.#replaced.signal]);
    if (this.#leaderHeardMs === undefined) void this.#watch();
    await tailStream(context, after, deliver, stop, seen);
    if (signal.aborted) return;
    if (this.#replaced.signal.aborted) throw new LogGapError("the region follows another log now");
    throw new Error("the log is closed");
  }

  async lastIndex(signal?: AbortSignal): Promise<number> {
    const { lastSeq } = await this.#state(signal);
    // A leader that was just elected may not have taken in all that was acknowledged before.
    return Math.max(this.identity.base + lastSeq, this.#highest);
  }

  async firstIndex(signal?: AbortSignal): Promise<number> {
    return this.identity.base + (await this.#state(signal)).firstSeq;
  }

  async span(signal?: AbortSignal): Promise<LogSpan | undefined> {
    let state: StreamState;
    try {
      state = await streamState(this.#requests, this.#names.stream, REQUEST_TIMEOUT_MS, signal);
    } catch (error) {
      if (error instanceof JetStreamRefusal && error.code === ERR.streamNotFound) return undefined;
      throw error;
    }
    this.#heardLeader();
    this.#leader = leaderOf(state);
    if (state.sealed || state.created !== this.#stream.created) {
      this.#replaced.abort();
      throw new LogGapError("the region follows another log now");
    }
    const { base } = this.identity;
    return { first: base + state.firstSeq, last: base + state.lastSeq };
  }

  async markAt(index: number, signal?: AbortSignal): Promise<RecordMark | undefined> {
    const { stream } = this.#names;
    const context = {
      ...{ requests: this.#requests, stream, base: this.identity.base },
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    };
    const record = await fetchRecord(context, index, signal);
    return record && markOf(record);
  }

  onBreak(listener: (why: string) => void): () => void {
    this.#breakListeners.add(listener);
    return () => this.#breakListeners.delete(listener);
  }

  async truncate(index: number): Promise<void> {
    const { connection } = this.#options;
    const { firstSeq, lastSeq, replicas } = await this.#state();
    const { base } = this.identity;
    // Purging beyond the end would move the sequence on.
    if (index > base + lastSeq) throw new RangeError(`cannot truncate to ${index}: the log ends at ${base + lastSeq}`);
    const last = index - base;
    if (last < firstSeq) return;
    const context = {
      requests: this.#requests,
      manager: this.#manager,
      stream: this.#names.stream,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    };
    if (mayPurge(replicas, connection.info?.version ?? "")) await purgeBefore(context, last + 1);
    else await deleteRange(context, firstSeq, last);
  }

  saveSnapshot(index: number, data: SnapshotData): Promise<void> {
    return this.#snapshots.save(index, data);
  }

  loadSnapshot(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined> {
    return this.#snapshots.load();
  }

  async replicas(signal?: AbortSignal): Promise<readonly LogReplica[]> {
    return (await this.#state(signal)).copies;
  }

  silenceMs(): number {
    const leaderMs = Math.max(this.#leaderSilenceMs(), this.#appendSilenceMs());
    return leaderMs > LEADER_SILENCE_MAX_MS ? leaderMs : this.#link.silenceMs();
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#requests.close();
    this.#link.close();
  }

  #leaderSilenceMs(): number {
    return this.#leaderHeardMs === undefined ? 0 : this.#options.clock.monotonicMs() - this.#leaderHeardMs;
  }

  /** A leader that lost its quorum answers questions for 10 to 20 s; only appends show it. They are tried again after a while. */
  #appendSilenceMs(): number {
    if (this.#unanswered === undefined) return 0;
    const now = this.#options.clock.monotonicMs();
    const { firstMs, lastMs } = this.#unanswered;
    return now - lastMs > LEADER_SILENCE_MAX_MS ? 0 : now - firstMs;
  }

  /** Told of breaks, from the first moment on. */
  #watchBreaks(connection: NatsConnection): void {
    this.#link.onDown(() => {
      this.#leader = undefined;
      this.#break("the connection to the log was lost");
    });
    // Comes before whatever the new leader answers. A NATS server that is in no cluster elects nobody, and breaks the
    // connection when it ends.
    const elected = connection.subscribe(`$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.${this.#names.stream}`, {
      callback: (error, message) => {
        if (error) return this.#options.logger.debug({ err: error }, "not told of new leaders of the log");
        this.#leader = message.json<{ leader?: string }>().leader;
        this.#break("the log has a new leader");
      },
    });
    this.#closed.signal.addEventListener("abort", () => elected.unsubscribe(), { once: true });
  }

  #break(why: string): void {
    if (this.#closed.signal.aborted || this.#breakListeners.size === 0) return;
    // Whoever listens decides when something is sent again.
    this.#requests.abandon(why);
    for (const listener of [...this.#breakListeners]) listener(why);
  }

  #heardLeader(): void {
    if (this.#leaderHeardMs !== undefined) this.#leaderHeardMs = this.#options.clock.monotonicMs();
  }

  #saw(index: number): void {
    if (index > this.#highest) this.#highest = index;
  }

  // A stream that was lost and made again acknowledges indexes that were given out before.
  #acknowledged(stream: string, index: number, before: number): number {
    const { stream: expected } = this.#names;
    if (stream !== expected)
      throw new AppendError("unknown", `stream ${stream} took the record instead of ${expected}`);
    if (index <= before) {
      const text = `the log went back: index ${index} was given to a record sent after ${before} had come up`;
      this.#options.logger.error({ stream, index, before }, text);
      throw new AppendError("unknown", text);
    }
    this.#heardLeader();
    this.#unanswered = undefined;
    this.#saw(index);
    return index;
  }

  // A stream that was sealed brings no records, and says nothing of it to who waits for some. Nor does a NATS
  // node that is cut from its peers: another one may not be.
  async #watch(): Promise<void> {
    const { clock, connection, logger, replicas } = this.#options;
    const signal = AbortSignal.any([this.#closed.signal, this.#replaced.signal]);
    this.#leaderHeardMs = clock.monotonicMs();
    let movedAtMs = 0;
    while (!signal.aborted) {
      await clock.after(WATCH_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.#state(signal).catch(() => undefined);
      const silentMs = Math.max(this.#leaderSilenceMs(), this.#appendSilenceMs());
      const sinceMs = Math.min(silentMs, clock.monotonicMs() - movedAtMs);
      if (signal.aborted || sinceMs <= LEADER_SILENCE_MAX_MS || !this.#link.connected || replicas === 1) continue;
      movedAtMs = clock.monotonicMs();
      // Appends are tried again at once; should the next one fail too, nothing was heard since the first of them.
      if (this.#unanswered !== undefined) this.#unanswered = { ...this.#unanswered, lastMs: Number.NEGATIVE_INFINITY };
      logger.warn({ server: connection.getServer() }, "no word from the log's leader; trying another NATS node");
      await connection.reconnect();
    }
    this.#leaderHeardMs = undefined;
  }

  /** Asks until the stream's leader answers or the time of an append runs out. */
  async #state(signal?: AbortSignal): Promise<StreamState> {
    const { clock, ackTimeoutMs } = this.#options;
    const deadline = clock.monotonicMs() + (ackTimeoutMs ?? ACK_TIMEOUT_MS);
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed.signal.aborted) throw new Error("the log is closed");
      try {
        const state = await streamState(this.#requests, this.#names.stream, REQUEST_TIMEOUT_MS, signal);
        this.#heardLeader();
        if (!state.sealed && state.created === this.#stream.created) {
          const leader = leaderOf(state);
          const before = this.#leader;
          this.#leader = leader;
          if (before !== undefined && before !== leader) this.#break("the log has another leader");
          return state;
        }
        this.#replaced.abort();
        throw new SteppeError("no-quorum", "No cluster leader: the region's log was replaced by another");
      } catch (error) {
        if (error instanceof SteppeError) throw error;
        signal?.throwIfAborted();
        const cutOff = this.silenceMs() > SILENCE_MAX_MS;
        if (cutOff || clock.monotonicMs() >= deadline) throw noQuorum(error);
        await clock.after(RETRY_MS, signal);
      }
    }
  }
}

function leaderOf({ copies }: StreamState): string | undefined {
  return copies.find(({ leader }) => leader)?.name;
}

function appendError(error: unknown): AppendError {
  const text = error instanceof Error ? error.message : String(error);
  return new AppendError(certainlyNotStored(error) ? "refused" : "unknown", text, { cause: error });
}

function certainlyNotStored(error: unknown): boolean {
  if (error instanceof RequestError) return error.reason !== "no-answer";
  if (!(error instanceof JetStreamRefusal)) return false;
  // One code stands for a full stream, which is certain, and for a disk that failed, which is not.
  if (error.code === ERR.storeFailed) return /^maximum (messages|bytes)/.test(error.message);
  return NOT_STORED.has(error.code);
}
