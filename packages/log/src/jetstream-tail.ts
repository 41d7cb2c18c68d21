/**
 * Reading a stream in order: a push consumer, followed by hand, thrown away and made again at the
 * next record whenever anything is in doubt (the ordered consumer of NATS ADR-17).
 *
 * 1. A session is one consumer. It ends when a delivery is missing, a heartbeat is overdue or
 *    tells of deliveries that never came, the connection breaks, or the server says that the
 *    consumer is gone. Ending a session is never an error: the next one starts where it was.
 * 2. Only the stream's own state, asked for before each session, decides that records are gone.
 * 3. A session begins with the last record that was delivered, where the log still has it, and that
 *    has to be the same one: a log that lost its tail and grew again holds other records there.
 * 4. Before every session but the first, and where few are missing, records are fetched one by one: no session may be to be had yet.
 * 5. Flow control is answered when everything before it was delivered, so a slow reader slows
 *    the server down, and memory stays bounded.
 * 6. A consumer reads the copy of one NATS node. Of a stream with several, the last records there were when a session began,
 *    and the first that came since, are compared with those of the stream's leader: a node that was the leader and
 *    was killed may keep records that no other has (nats-server before 2.10.22, its pull request 5957). It is
 *    not read from.
 */
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/nats-core";
import type { Clock, Logger } from "@steppe/model";
import { markOf, type RecordMark } from "./identity.ts";
import { createPushConsumer, ERR, JetStreamRefusal, streamState } from "./jetstream-api.ts";
import { fetchRecord, fetchRecords } from "./jetstream-fetch.ts";
import { GapJudge } from "./jetstream-gaps.ts";
import { LogGapError, type LogRecord } from "./log.ts";
import type { NatsLink } from "./nats-link.ts";
import type { NatsRequests } from "./nats-requests.ts";

export interface TailContext {
  readonly connection: NatsConnection;
  readonly requests: NatsRequests;
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stream: string;
  readonly created: string;
  readonly base: number;
  readonly requestTimeoutMs: number;
  /** Told of every record, before it is delivered. */
  received(index: number): void;
}

export type Deliver = (records: readonly LogRecord[]) => void | Promise<void>;

const HEARTBEAT_MS = 1000;
/** Silence after which a consumer counts as dead: two heartbeats, and half of one for delays. */
const OVERDUE_MS = 2.5 * HEARTBEAT_MS;
/** What one delivery holds at most, so that the reader can yield in between. */
const BATCH_MAX = 1024;
const RETRY_MIN_MS = 50;
// A cluster elects a leader in a few seconds; this is not to add to it.
const RETRY_MAX_MS = 100;
/**
 * The first attempts at a consumer wait so long, later ones twice as long and so on, up to the log's own limit: a
 * request that came while nobody led is never answered, and a busy cluster takes its time. In between, records
 * are fetched one by one, so a shorter wait is a shorter time until the next write is seen.
 */
const CREATE_MIN_MS = 200;
const CREATE_ALIKE = 6;
/** So many before the end of the log as a session found it, and behind, are compared with the leader's: more than are under way at a time. */
const COMPARED = 256;
/** How long the leader may take to have what its followers have. */
const LEADER_LAG_MS = 2000;
const LEADER_ASK_MS = 25;
/** So many are there before a consumer is, and sooner where those who make consumers are still to be elected. */
const FEW = 8;

/** Delivers every record after index `after`; see `ReplicatedLog.tail`. */
export async function tailStream(
  context: TailContext,
  after: number,
  deliver: Deliver,
  signal: AbortSignal,
  seen?: RecordMark,
): Promise<void> {
  const { clock, logger } = context;
  const gap = new GapJudge(context);
  let next = after + 1;
  let known = seen?.index === after ? seen : undefined;
  let failures = 0;
  let sessions = 0;
  while (!signal.aborted) {
    try {
      const state = await streamState(context.requests, context.stream, context.requestTimeoutMs, signal);
      if (!gap.seemsWhole(state, next)) {
        await pause(clock, RETRY_MIN_MS * 4, signal);
        continue;
      }
      const kept = () => (known !== undefined && context.base + state.firstSeq <= known.index ? known : undefined);
      const last = context.base + state.lastSeq;
      if (sessions > 0 || failures > 0 || last - next < FEW) {
        const fetched = await fetchRecords(context, next, last, kept(), signal);
        known = (await handOver(context, fetched, deliver)) ?? known;
        next += fetched.length;
      }
      const createMs = Math.min(context.requestTimeoutMs, CREATE_MIN_MS * 2 ** Math.floor(failures / CREATE_ALIKE));
      sessions++;
      const compared = state.replicas > 1 ? { after: last - COMPARED, to: last + COMPARED } : undefined;
      const delivered = await runSession(context, { from: next, mark: kept(), createMs, compared }, deliver, signal);
      known = delivered.last ?? known;
      failures = delivered.count > 0 ? 0 : failures + 1;
      next += delivered.count;
      gap.skipped(next, delivered.skippedTo);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LogGapError || error instanceof DeliverError)
        throw error instanceof DeliverError ? error.cause : error;
      if (error instanceof JetStreamRefusal && error.code === ERR.streamNotFound) gap.vanished();
      failures++;
      logger.debug({ err: error, next }, "cannot tail the stream now");
    }
    if (failures > 0) await pause(clock, Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 6)), signal);
  }
}

/** What `deliver` threw, as against what the stream did. */
class DeliverError extends Error {}

/** Resolves with the last of them, once they are delivered. */
async function handOver(
  context: TailContext,
  records: readonly LogRecord[],
  deliver: Deliver,
): Promise<RecordMark | undefined> {
  const last = records.at(-1);
  if (last === undefined) return undefined;
  for (const { index } of records) context.received(index);
  try {
    const busy = deliver(records);
    if (busy !== undefined) await busy;
  } catch (error) {
    throw new DeliverError("a reader failed", { cause: error });
  }
  return markOf(last);
}

interface SessionStart {
  /** Index of the first record to deliver. */
  readonly from: number;
  /** What the record before it has to be; undefined when the log need not have it. */
  readonly mark: RecordMark | undefined;
  /** How long to wait for the consumer. */
  readonly createMs: number;
  /** Records of these indexes, the first one excepted, are compared with the leader's. */
  readonly compared: { readonly after: number; readonly to: number } | undefined;
}

interface SessionEnd {
  readonly count: number;
  /** The last record that was delivered. */
  readonly last: RecordMark | undefined;
  /** Index of the record that came instead of the expected one. */
  readonly skippedTo: number | undefined;
}

async function runSession(
  context: TailContext,
  start: SessionStart,
  deliver: Deliver,
  signal: AbortSignal,
): Promise<SessionEnd> {
  const session = new Session(context, start);
  const end = () => session.end("stopped");
  signal.addEventListener("abort", end, { once: true });
  const stopListening = context.link.onDown(() => session.end("the connection broke"));
  try {
    await session.start(signal);
    return await session.run(deliver, signal);
  } finally {
    signal.removeEventListener("abort", end);
    stopListening();
    session.dispose();
  }
}

class Session {
  readonly #context: TailContext;
  /** Index of the first record to come: the mark's, if there is one. */
  readonly #from: number;
  readonly #mark: RecordMark | undefined;
  readonly #createMs: number;
  #compared: SessionStart["compared"];
  readonly #subject = createInbox();
  readonly #watchdog = new AbortController();
  readonly #subscription: Subscription;
  #consumer = "";
  #buffer: LogRecord[] = [];
  #received = 0;
  #skippedTo: number | undefined;
  #otherRecord: LogGapError | undefined;
  #flowControl: string | undefined;
  #heardAt: number;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(context: TailContext, { from, mark, createMs, compared }: SessionStart) {
    this.#context = context;
    this.#createMs = createMs;
    this.#compared = compared;
    this.#from = mark === undefined ? from : mark.index;
    this.#mark = mark;
    this.#heardAt = context.clock.monotonicMs();
    this.#subscription = context.connection.subscribe(this.#subject, {
      callback: (error, message) => (error ? this.end(error.message) : this.#take(message)),
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    const { requests, stream, base } = this.#context;
    const options = { deliver: this.#subject, from: this.#from - base, heartbeatMs: HEARTBEAT_MS };
    this.#consumer = await createPushConsumer(requests, stream, options, this.#createMs, signal);
    this.#heardAt = this.#context.clock.monotonicMs();
    this.#watch();
  }

  /** Until the session ends. Resolves with how many records were delivered. */
  async run(deliver: Deliver, signal: AbortSignal): Promise<SessionEnd> {
    let count = 0;
    let last: RecordMark | undefined;
    for (;;) {
      if (this.#otherRecord !== undefined) throw this.#otherRecord;
      while (this.#buffer.length > 0 && !signal.aborted) {
        const records = this.#buffer.length <= BATCH_MAX ? this.#buffer : this.#buffer.slice(0, BATCH_MAX);
        this.#buffer = this.#buffer.slice(records.length);
        if (this.#compared !== undefined && !(await this.#areLeaders(records, this.#compared, signal))) {
          this.end("its records are not known to be the leader's");
          return { count, last, skippedTo: undefined };
        }
        last = await handOver(this.#context, records, deliver);
        count += records.length;
      }
      this.#answerFlowControl();
      if (this.#ended || signal.aborted) return { count, last, skippedTo: this.#skippedTo };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (why !== "stopped") this.#context.logger.debug({ consumer: this.#consumer, why }, "reading the stream anew");
    this.#wake();
  }

  dispose(): void {
    const { connection, link, stream } = this.#context;
    this.#ended = true;
    this.#watchdog.abort();
    if (connection.isClosed()) return;
    this.#subscription.unsubscribe();
    // Without this the server finds out by itself, after the inactivity threshold.
    if (link.connected && this.#consumer !== "")
      connection.publish(`$JS.API.CONSUMER.DELETE.${stream}.${this.#consumer}`);
  }

  #take(message: Msg): void {
    if (this.#ended) return;
    const { clock, link } = this.#context;
    this.#heardAt = clock.monotonicMs();
    link.heard();
    const status = message.headers?.code ?? 0;
    const why = status === 0 ? this.#takeRecord(message) : this.#takeStatus(status, message);
    if (why !== undefined) this.end(why);
  }

  /** Why the session must end, if it must. */
  #takeStatus(status: number, message: Msg): string | undefined {
    if (status !== 100) return message.headers?.description ?? `status ${status}`;
    if (message.reply) {
      this.#flowControl = message.reply;
    } else {
      const stalled = message.headers?.get("Nats-Consumer-Stalled");
      if (stalled) this.#flowControl = stalled;
      const sent = Number(message.headers?.get("Nats-Last-Consumer") ?? this.#received);
      if (sent !== this.#received) return `${sent} deliveries were sent and ${this.#received} came`;
    }
    if (this.#buffer.length === 0) this.#wake();
    return undefined;
  }

  /** Why the session must end, if it must. */
  #takeRecord(message: Msg): string | undefined {
    const delivery = parseAckSubject(message.reply ?? "");
    if (delivery === undefined) return `a message without its place in the stream: ${message.reply}`;
    if (delivery.consumerSeq !== this.#received + 1) return `delivery ${this.#received + 1} is missing`;
    const index = this.#context.base + delivery.streamSeq;
    const expected = this.#from + this.#received;
    if (index !== expected) {
      this.#skippedTo = index;
      return `record ${index} came instead of ${expected}`;
    }
    this.#received++;
    if (this.#mark?.index === index) return this.#compare({ index, payload: message.data });
    this.#buffer.push({ index, payload: message.data });
    if (this.#buffer.length === 1) this.#wake();
    return undefined;
  }

  /** Why the session must end, if it must: record `mark` is not the one that was delivered before. */
  #compare(record: LogRecord): string | undefined {
    if (markOf(record).crc === this.#mark?.crc) return undefined;
    this.#otherRecord = new LogGapError(`the log holds another record ${record.index} than the one applied here`);
    return "it holds other records";
  }

  /** Whether the stream's leader says that it has the same records, as far as they are to be compared. Never rejects. */
  async #areLeaders(
    records: readonly LogRecord[],
    { after, to }: NonNullable<SessionStart["compared"]>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const compared = records.filter(({ index }) => index > after && index <= to);
    const same = await Promise.all(compared.map((record) => this.#isLeaders(record, signal))).catch((err: unknown) => {
      this.#context.logger.debug({ err }, "cannot compare records with the stream's leader now");
      return undefined;
    });
    if (same === undefined) return false;
    const other = compared[same.indexOf(false)];
    if (other !== undefined) {
      const text =
        "a NATS node has another record than the stream's leader, or one that it lacks; reading from another node";
      this.#context.logger.warn({ index: other.index, stream: this.#context.stream }, text);
      return false;
    }
    if (records.some(({ index }) => index > to)) this.#compared = undefined;
    return true;
  }

  async #isLeaders(record: LogRecord, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#context;
    const deadline = clock.monotonicMs() + LEADER_LAG_MS;
    for (;;) {
      const leaders = await fetchRecord(this.#context, record.index, signal);
      if (leaders !== undefined) return markOf(leaders).crc === markOf(record).crc;
      if (clock.monotonicMs() >= deadline) return false;
      await pause(clock, LEADER_ASK_MS, signal);
      signal.throwIfAborted();
    }
  }

  #answerFlowControl(): void {
    if (this.#flowControl === undefined || this.#ended) return;
    this.#context.connection.publish(this.#flowControl);
    this.#flowControl = undefined;
  }

  // The server goes quiet on purpose while it waits for an answer to flow control, but its
  // heartbeats go on; so silence always means trouble, however slow the reader is.
  async #watch(): Promise<void> {
    const { clock } = this.#context;
    while (!this.#ended) {
      const left = this.#heardAt + OVERDUE_MS - clock.monotonicMs();
      if (left <= 0) return this.end("its heartbeat is overdue");
      await pause(clock, left, this.#watchdog.signal);
    }
  }
}

/**
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`, newer
 * servers put `<domain>.<account hash>` after `ACK` and may append a token.
 */
export function parseAckSubject(subject: string): { streamSeq: number; consumerSeq: number } | undefined {
  const tokens = subject.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined;
  const at = tokens.length === 9 ? 5 : 7;
  const [streamSeq, consumerSeq] = [Number(tokens[at]), Number(tokens[at + 1])];
  return Number.isSafeInteger(streamSeq) && Number.isSafeInteger(consumerSeq) ? { streamSeq, consumerSeq } : undefined;
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.after(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
