/** A process's end of one of its region's logs: `RegionLog` over the simulated network, as the JetStream log keeps it. */
import {
  AppendError,
  LogGapError,
  type LogIdentity,
  type LogRecord,
  type LogSpan,
  PayloadTooLargeError,
  type RegionLog,
  type SnapshotData,
} from "@steppe/log";
import { GapJudge, markOf, type RecordMark } from "@steppe/log/internal";
import { SteppeError } from "@steppe/model";
import type { Life } from "../kernel/life.ts";
import { type LogRequests, REQUEST_TIMEOUT_MS, RETRY_MS } from "./requests.ts";
import { snapshotsOf, wholeSnapshot } from "./snapshots.ts";
import type { LogStream } from "./stream.ts";

/** Small, so that large plans are split here too. */
const PAYLOAD_MAX = 64 * 1024;
/** Records handed over at once. */
const BATCH_MAX = 100;
/** Between two looks at a log whose records seem to be gone, and at the longest until a sealed one is seen to be. */
const DOUBT_RETRY_MS = 200;
const WATCH_MS = 2000;
/** Between two looks for a region's log that is not there yet. */
const OPEN_RETRY_MS = 200;

const CONNECTION = { kept: 1, mayBeLost: false };

type Deliver = (records: readonly LogRecord[]) => void | Promise<void>;

/** The log of that identity, or the region's newest, which is made where there is none if `create`. Waits for a leader. */
export async function openLogEnd(requests: LogRequests, identity?: LogIdentity, create = false): Promise<LogEnd> {
  const { store, life } = requests;
  const find = () => {
    const found = identity === undefined ? store.newest : store.find(identity);
    if (found === undefined && create) store.create({ epoch: 0, id: "", base: 0 });
    return found ?? store.newest;
  };
  for (;;) {
    try {
      const stream = await requests.tell(find, undefined, REQUEST_TIMEOUT_MS);
      if (stream !== undefined) return new LogEnd(requests, stream);
    } catch (error) {
      if (!life.isAlive) throw error;
    }
    await life.clock.after(OPEN_RETRY_MS);
  }
}

export class LogEnd implements RegionLog {
  readonly payloadMax = PAYLOAD_MAX;
  readonly identity: LogIdentity;
  readonly #requests: LogRequests;
  /** Of the stream that was opened. */
  readonly #created: string;
  readonly #life: Life;
  /** Aborts once it is known that another log has followed this one. */
  readonly #replaced = new AbortController();
  #highest = 0;

  constructor(requests: LogRequests, { identity, created }: LogStream) {
    this.identity = identity;
    this.#requests = requests;
    this.#created = created;
    this.#life = requests.life;
  }

  async append(payload: Uint8Array, signal?: AbortSignal): Promise<number> {
    if (payload.length > PAYLOAD_MAX) throw new PayloadTooLargeError(payload.length, PAYLOAD_MAX);
    if (this.#requests.closed.aborted) throw new AppendError("refused", "the log is closed");
    const { store } = this.#requests;
    const bytes = payload.slice();
    const before = this.#highest;
    const fate = await this.#requests.ask(() => store.append(store.find(this.identity), bytes), signal);
    if (fate.kind === "refused") {
      if (fate.sealed) this.#replaced.abort();
      throw new AppendError("refused", fate.sealed ? "the log is sealed" : "no stream leader");
    }
    if (fate.kind === "dropped") throw new AppendError("unknown", "no answer");
    if (fate.index <= before) throw new AppendError("unknown", `the log went back: ${fate.index} after ${before}`);
    this.#saw(fate.index);
    return fate.index;
  }

  async tail(after: number, deliver: Deliver, signal: AbortSignal, seen?: RecordMark): Promise<void> {
    const { clock } = this.#life;
    const stop = AbortSignal.any([signal, this.#requests.closed, this.#replaced.signal]);
    const gap = new GapJudge({ clock, stream: this.#requests.store.place, created: this.#created, base: 0 });
    let at = after;
    let known = seen?.index === after ? seen : undefined;
    while (!stop.aborted) {
      const pauseMs = await this.#begin(gap, at + 1, stop);
      if (pauseMs !== undefined) {
        await clock.after(pauseMs, stop).catch(() => undefined);
        continue;
      }
      const session = new Session(this.#requests, this.identity, this.#created, known);
      for (let records = await session.next(at, stop); records !== undefined; records = await session.next(at, stop)) {
        const last = records.at(-1) as LogRecord;
        this.#saw(last.index);
        await deliver(records);
        [at, known] = [last.index, markOf(last)];
      }
    }
    if (signal.aborted) return;
    if (this.#replaced.signal.aborted) throw new LogGapError("the region follows another log now");
    throw new Error("the log is closed");
  }

  async lastIndex(signal?: AbortSignal): Promise<number> {
    const { lastIndex } = await this.#state(signal);
    return Math.max(lastIndex, this.#highest);
  }

  async firstIndex(signal?: AbortSignal): Promise<number> {
    return (await this.#state(signal)).firstIndex;
  }

  async span(signal?: AbortSignal): Promise<LogSpan | undefined> {
    const { store } = this.#requests;
    const read = () => {
      const stream = store.find(this.identity);
      if (stream === undefined) return undefined;
      const { firstIndex: first, sealed, created } = stream;
      return { first, last: store.lastTold(stream), isOurs: !sealed && created === this.#created };
    };
    const span = await this.#requests.tell(read, signal, REQUEST_TIMEOUT_MS);
    if (span?.isOurs === false) {
      this.#replaced.abort();
      throw new LogGapError("the region follows another log now");
    }
    return span;
  }

  async markAt(index: number, signal?: AbortSignal): Promise<RecordMark | undefined> {
    const { store } = this.#requests;
    const record = await this.#requests.tell(() => store.find(this.identity)?.at(index), signal, REQUEST_TIMEOUT_MS);
    return record && markOf(record);
  }

  onBreak(listener: (why: string) => void): () => void {
    return this.#requests.onBreak(listener);
  }

  async truncate(index: number): Promise<void> {
    await this.#state();
    await this.#requests.tell(() => this.#requests.store.truncate(this.identity, index));
  }

  async saveSnapshot(index: number, data: SnapshotData): Promise<void> {
    await snapshotsOf(this.#requests, this.identity).save(index, await wholeSnapshot(data));
  }

  loadSnapshot(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined> {
    return snapshotsOf(this.#requests, this.identity).load();
  }

  silenceMs(): number {
    return this.#requests.silenceMs();
  }

  async close(): Promise<void> {
    this.#requests.close();
  }

  #saw(index: number): void {
    this.#highest = Math.max(this.#highest, index);
  }

  /** Asks for the log's state before reading on; how long to wait before that is asked again, milliseconds, if it must be. */
  async #begin(gap: GapJudge, next: number, stop: AbortSignal): Promise<number | undefined> {
    const { store } = this.#requests;
    let state: Parameters<GapJudge["seemsWhole"]>[0] | undefined;
    try {
      state = await this.#requests.tell(
        () => {
          const stream = store.find(this.identity);
          if (stream === undefined) return undefined;
          const { created, sealed, firstIndex } = stream;
          return { created, sealed, firstSeq: firstIndex, lastSeq: store.lastTold(stream) };
        },
        stop,
        REQUEST_TIMEOUT_MS,
      );
    } catch {
      // Nobody leads, or no answer came.
      return RETRY_MS;
    }
    if (state === undefined) gap.vanished();
    if (state === undefined) return DOUBT_RETRY_MS;
    return gap.seemsWhole(state, next) ? undefined : DOUBT_RETRY_MS;
  }

  /** The stream, as the leader has it when it is asked. */
  async #state(signal?: AbortSignal): Promise<{ readonly firstIndex: number; readonly lastIndex: number }> {
    const { store } = this.#requests;
    const state = await this.#requests.state(() => {
      const stream = store.find(this.identity);
      if (stream === undefined) throw new Error("the log is gone");
      const { firstIndex, lastIndex, sealed, created } = stream;
      return { firstIndex, lastIndex, isOurs: !sealed && created === this.#created };
    }, signal);
    if (state.isOurs) return state;
    this.#replaced.abort();
    throw new SteppeError("no-quorum", "No cluster leader: the region's log was replaced by another");
  }
}

/** One consumer: what it brings follows without a gap. Over when the connections broke, or the stream is not what it was. */
class Session {
  readonly #requests: LogRequests;
  readonly #identity: LogIdentity;
  readonly #created: string;
  readonly #restarts: number;
  /** What the record before the first has to be, where the log still has it. */
  #known: RecordMark | undefined;

  constructor(requests: LogRequests, identity: LogIdentity, created: string, known: RecordMark | undefined) {
    this.#requests = requests;
    this.#identity = identity;
    this.#created = created;
    this.#restarts = requests.store.restarts;
    this.#known = known;
  }

  /** The next records after `at`, once there are some and the way is open; undefined when it is over, or the signal aborts. */
  next(at: number, signal: AbortSignal): Promise<readonly LogRecord[] | undefined> {
    const { life, store, network } = this.#requests;
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      let isOnItsWay = false;
      const finish = (how: () => void) => {
        stopListening();
        signal.removeEventListener("abort", over);
        how();
      };
      const over = () => finish(() => resolve(undefined));
      const arrive = () => {
        this.#requests.noticeBreak();
        if (signal.aborted) return;
        const stream = this.#stream();
        if (stream === undefined) return over();
        const other = this.#compare(stream);
        if (other !== undefined) return finish(() => reject(other));
        const records = stream.read(at, BATCH_MAX);
        if (records === undefined) return over();
        isOnItsWay = false;
        if (records.length > 0) finish(() => resolve(records));
      };
      const look = () => {
        if (isOnItsWay || !life.isAlive) return;
        const stream = this.#stream();
        const isOver = stream === undefined;
        if (stream?.read(at, 1)?.length === 0 && this.#known === undefined) return;
        isOnItsWay = true;
        // A broken connection is noticed at once, a silent stream only when somebody looks at it.
        const lateMs = isOver && store.restarts === this.#restarts ? life.random.between(0, WATCH_MS) : 0;
        network.send(store.place, life.name, CONNECTION, (atMs) =>
          life.post(atMs + lateMs + this.#requests.slowMs() / 4, "log records", arrive),
        );
        // A way that is cut brings nothing; the consumer is made anew when it is open.
        if (!network.isOpen(store.place, life.name)) {
          life.kernel.after(RETRY_MS, `${life.name} consumer`, () => {
            isOnItsWay = false;
            if (!signal.aborted) look();
          });
        }
      };
      const stopListening = store.onChange(look);
      signal.addEventListener("abort", over, { once: true });
      life.onEnd(() => stopListening());
      look();
    });
  }

  /** What it reads; undefined when it cannot read on. */
  #stream(): LogStream | undefined {
    const { store } = this.#requests;
    const stream = store.restarts === this.#restarts && !store.isDown ? store.find(this.#identity) : undefined;
    return stream !== undefined && !stream.sealed && stream.created === this.#created ? stream : undefined;
  }

  #compare(stream: LogStream): LogGapError | undefined {
    const known = this.#known;
    this.#known = undefined;
    const record = known && stream.at(known.index);
    if (record === undefined || markOf(record).crc === known?.crc) return undefined;
    return new LogGapError(`the log holds another record ${record.index} than the one applied here`);
  }
}
