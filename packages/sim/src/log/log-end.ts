/** A process's end of its region's log: `ReplicatedLog` over the simulated network. */
import { AppendError, LogGapError, type LogRecord, PayloadTooLargeError, type ReplicatedLog } from "@steppe/log";
import { SteppeError } from "@steppe/model";
import type { Life } from "../kernel/life.ts";
import type { Network } from "../network/network.ts";
import type { LogStream } from "./stream.ts";

/** As in the JetStream log. */
const ACK_TIMEOUT_MS = 5000;
const RETRY_MS = 100;
/** Small, so that large plans are split here too. */
const PAYLOAD_MAX = 64 * 1024;
/** Records handed over at once. */
const BATCH_MAX = 100;

/** Why a timer ends early. One for all: the default reason is a new exception with its stack trace. */
const SETTLED = new Error("settled");

const REQUEST = { kept: 0.5, mayBeLost: true };
const CONNECTION = { kept: 1, mayBeLost: false };

/** Whole, or what gives it in pieces. */
export type SnapshotBytes = Uint8Array | (() => AsyncIterable<Uint8Array>);

type Deliver = (records: readonly LogRecord[]) => void | Promise<void>;

export class LogEnd implements ReplicatedLog {
  readonly payloadMax = PAYLOAD_MAX;
  readonly #life: Life;
  readonly #stream: LogStream;
  readonly #network: Network;
  readonly #closed = new AbortController();
  /** What waits for an answer. */
  readonly #asked: Set<(error: Error) => void> = new Set();
  #highest = 0;
  #heardMs: number;

  constructor(life: Life, stream: LogStream, network: Network) {
    this.#life = life;
    this.#stream = stream;
    this.#network = network;
    this.#heardMs = life.clock.monotonicMs();
  }

  async append(payload: Uint8Array, signal?: AbortSignal): Promise<number> {
    if (payload.length > PAYLOAD_MAX) throw new PayloadTooLargeError(payload.length, PAYLOAD_MAX);
    if (this.#closed.signal.aborted) throw new AppendError("refused", "the log is closed");
    const bytes = payload.slice();
    const fate = await this.#ask(() => this.#stream.append(bytes), signal);
    if (fate.kind === "refused") throw new AppendError("refused", "no stream leader");
    if (fate.kind === "dropped") throw new AppendError("unknown", "no answer");
    this.#highest = Math.max(this.#highest, fate.index);
    return fate.index;
  }

  async tail(after: number, deliver: Deliver, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closed.signal]);
    let at = after;
    while (!stop.aborted) {
      const records = await this.#next(at, stop);
      if (records === undefined) continue;
      at += records.length;
      this.#highest = Math.max(this.#highest, at);
      await deliver(records);
    }
    if (!signal.aborted) throw new Error("the log is closed");
  }

  async lastIndex(signal?: AbortSignal): Promise<number> {
    return Math.max(await this.#state(() => this.#stream.lastIndex, signal), this.#highest);
  }

  async firstIndex(signal?: AbortSignal): Promise<number> {
    return await this.#state(() => this.#stream.firstIndex, signal);
  }

  async truncate(index: number): Promise<void> {
    await this.#state(() => {
      this.#stream.truncate(index);
      return index;
    });
  }

  async saveSnapshot(index: number, data: SnapshotBytes): Promise<void> {
    const copy = (await wholeSnapshot(data)).slice();
    await this.#state(() => {
      this.#stream.snapshot = { index, data: copy };
      return index;
    });
  }

  async loadSnapshot(): Promise<{ readonly index: number; readonly data: Uint8Array } | undefined> {
    return await this.#state(() => this.#stream.snapshot);
  }

  silenceMs(): number {
    const { name, clock } = this.#life;
    const inTouch = this.#network.isOpen(name, this.#stream.place) && this.#network.isOpen(this.#stream.place, name);
    if (inTouch) this.#heardMs = clock.monotonicMs();
    return clock.monotonicMs() - this.#heardMs;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    for (const fail of [...this.#asked]) fail(new AppendError("unknown", "the log is closed"));
  }

  /** One request to the stream's leader; `act` happens there, when it arrives. */
  #ask<T extends Answer>(act: () => T, signal?: AbortSignal): Promise<T> {
    const life = this.#life;
    const { place } = this.#stream;
    return new Promise((resolve, reject) => {
      const done = new AbortController();
      const settle = (how: () => void) => {
        done.abort(SETTLED);
        this.#asked.delete(fail);
        signal?.removeEventListener("abort", stop);
        how();
      };
      const fail = (error: Error) => settle(() => reject(error));
      const stop = () => settle(() => reject(signal?.reason));
      signal?.addEventListener("abort", stop, { once: true });
      this.#asked.add(fail);
      life.clock.after(ACK_TIMEOUT_MS, done.signal).then(
        () => fail(new AppendError("unknown", `no acknowledgement within ${ACK_TIMEOUT_MS} ms`)),
        () => undefined,
      );
      const answered = (answer: T) => {
        this.#heardMs = life.clock.monotonicMs();
        settle(() => resolve(answer));
      };
      life.effect(() =>
        this.#network.send(life.name, place, REQUEST, (atMs) =>
          life.kernel.at(atMs + this.#slowMs(), `${place} request`, () => {
            const answer = act();
            if (isSilent(answer)) return;
            this.#network.send(place, life.name, REQUEST, (thenMs) =>
              life.post(thenMs + this.#slowMs(), "log answers", () => answered(answer)),
            );
          }),
        ),
      );
    });
  }

  #slowMs(): number {
    return this.#stream.slowMs === 0 ? 0 : this.#life.random.between(0, this.#stream.slowMs);
  }

  /** Asks until the leader answers or the time of an append runs out. */
  async #state<T>(read: () => T, signal?: AbortSignal): Promise<T> {
    const { clock } = this.#life;
    const deadline = clock.monotonicMs() + ACK_TIMEOUT_MS;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed.signal.aborted) throw new Error("the log is closed");
      try {
        const answer = await this.#ask(
          () =>
            this.#stream.hasLeader ? { kind: "value", value: read() } : { kind: "dropped", value: undefined as T },
          signal,
        );
        return answer.value as T;
      } catch (error) {
        signal?.throwIfAborted();
        if (clock.monotonicMs() >= deadline) throw new SteppeError("no-quorum", "No cluster leader", { cause: error });
        await clock.after(RETRY_MS, signal);
      }
    }
  }

  /** The next records after `at`, once there are some and the way is open; undefined when the signal aborts. */
  #next(at: number, signal: AbortSignal): Promise<readonly LogRecord[] | undefined> {
    const life = this.#life;
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      let isOnItsWay = false;
      const finish = (how: () => void) => {
        stopListening();
        signal.removeEventListener("abort", stop);
        how();
      };
      const stop = () => finish(() => resolve(undefined));
      const arrive = () => {
        const records = stream.read(at, BATCH_MAX);
        if (records === undefined) {
          const text = `the log holds ${stream.firstIndex} to ${stream.lastIndex}; record ${at + 1} is gone, or not there`;
          return finish(() => reject(new LogGapError(text)));
        }
        isOnItsWay = false;
        if (records.length > 0) finish(() => resolve(records));
      };
      const look = () => {
        if (isOnItsWay || !life.isAlive) return;
        if (stream.read(at, 1)?.length === 0) return;
        isOnItsWay = true;
        this.#network.send(stream.place, life.name, CONNECTION, (atMs) =>
          life.post(atMs + this.#slowMs() / 4, "log records", arrive),
        );
        // A way that is cut brings nothing; the consumer is made anew when it is open.
        if (!this.#network.isOpen(stream.place, life.name)) {
          life.kernel.after(RETRY_MS, `${life.name} consumer`, () => {
            isOnItsWay = false;
            if (!signal.aborted) look();
          });
        }
      };
      const stopListening = stream.onChange(look);
      signal.addEventListener("abort", stop, { once: true });
      life.onEnd(() => stopListening());
      look();
    });
  }
}

interface Answer {
  readonly kind: string;
  readonly acknowledged?: boolean;
}

function isSilent({ kind, acknowledged }: Answer): boolean {
  return kind === "dropped" || acknowledged === false;
}

export async function wholeSnapshot(data: SnapshotBytes): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data;
  const pieces: Uint8Array[] = [];
  for await (const piece of data()) pieces.push(piece);
  return Buffer.concat(pieces);
}
