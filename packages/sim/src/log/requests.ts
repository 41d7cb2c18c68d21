/** A process's requests to its region's NATS cluster, and how long it has not heard from it. */
import { AppendError } from "@steppe/log";
import { SteppeError } from "@steppe/model";
import type { Life } from "../kernel/life.ts";
import type { Network } from "../network/network.ts";
import type { LogStore } from "./store.ts";

/** As in the JetStream log. */
export const ACK_TIMEOUT_MS = 5000;
export const REQUEST_TIMEOUT_MS = 2000;
export const RETRY_MS = 100;

/** Why a timer ends early. One for all: the default reason is a new exception with its stack trace. */
const SETTLED = new Error("settled");

const REQUEST = { kept: 0.5, mayBeLost: true };

export interface Answer {
  readonly kind: string;
  readonly acknowledged?: boolean;
}

export class LogRequests {
  readonly life: Life;
  readonly store: LogStore;
  readonly network: Network;
  readonly #closed = new AbortController();
  /** What waits for an answer. */
  readonly #asked: Set<(error: Error) => void> = new Set();
  readonly #breakListeners: Set<(why: string) => void> = new Set();
  #heardMs: number;
  /** Of the store, as noticed so far. */
  #breaks: number;

  constructor(life: Life, store: LogStore, network: Network) {
    this.life = life;
    this.store = store;
    this.network = network;
    this.#heardMs = life.clock.monotonicMs();
    this.#breaks = store.breaks;
    const stopListening = store.onChange(() => {
      if (store.breaks !== this.#breaks) life.post(life.kernel.nowMs, "log breaks", () => this.noticeBreak());
    });
    this.#closed.signal.addEventListener("abort", stopListening, { once: true });
    life.onEnd(stopListening);
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Calls `listener` when the connection broke, or another leader was elected; returns the way to stop that. */
  onBreak(listener: (why: string) => void): () => void {
    this.#breakListeners.add(listener);
    return () => this.#breakListeners.delete(listener);
  }

  /** To be called before anything that comes from the cluster is heeded: a break is told before what follows it. */
  noticeBreak(): void {
    if (this.store.breaks === this.#breaks || this.#closed.signal.aborted) return;
    this.#breaks = this.store.breaks;
    for (const fail of [...this.#asked]) fail(new AppendError("unknown", "the connection to the log was lost"));
    for (const tell of [...this.#breakListeners]) tell("the log restarted, or has another leader");
  }

  silenceMs(): number {
    const { name, clock } = this.life;
    const { place, isDown } = this.store;
    const inTouch = !isDown && this.network.isOpen(name, place) && this.network.isOpen(place, name);
    if (inTouch) this.#heardMs = clock.monotonicMs();
    return clock.monotonicMs() - this.#heardMs;
  }

  close(): void {
    this.#closed.abort();
    for (const fail of [...this.#asked]) fail(new AppendError("unknown", "the log is closed"));
  }

  /** One request to the leader; `act` happens there, when it arrives. */
  ask<T extends Answer>(act: () => T, signal?: AbortSignal, timeoutMs: number = ACK_TIMEOUT_MS): Promise<T> {
    const { life, network } = this;
    const { place, restarts } = this.store;
    /** What was under way on a connection goes with it. */
    const isBroken = () => this.store.restarts !== restarts;
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
      life.clock.after(timeoutMs, done.signal).then(
        () => fail(new AppendError("unknown", `no acknowledgement within ${timeoutMs} ms`)),
        () => undefined,
      );
      const answered = (answer: T) => {
        this.#heardMs = life.clock.monotonicMs();
        settle(() => resolve(answer));
      };
      life.effect(() =>
        network.send(life.name, place, REQUEST, (atMs) =>
          life.kernel.at(atMs + this.slowMs(), `${place} request`, () => {
            if (isBroken()) return;
            const answer = act();
            if (isSilent(answer)) return;
            network.send(place, life.name, REQUEST, (thenMs) =>
              life.post(thenMs + this.slowMs(), "log answers", () => {
                this.noticeBreak();
                if (!isBroken()) answered(answer);
              }),
            );
          }),
        ),
      );
    });
  }

  /** What `read` finds there; rejects as it throws, and when there is no leader to tell. */
  async tell<T>(read: () => T, signal?: AbortSignal, timeoutMs?: number): Promise<T> {
    const answer = await this.ask(() => (this.store.hasLeader ? told(read) : NOBODY), signal, timeoutMs);
    if (answer.kind === "error") throw answer.error;
    return answer.value as T;
  }

  /** Asks until the leader answers or the time of an append runs out. */
  async state<T>(read: () => T, signal?: AbortSignal): Promise<T> {
    const { clock } = this.life;
    const deadline = clock.monotonicMs() + ACK_TIMEOUT_MS;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed.signal.aborted) throw new Error("the log is closed");
      try {
        return await this.tell(read, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (clock.monotonicMs() >= deadline) throw new SteppeError("no-quorum", "No cluster leader", { cause: error });
        await clock.after(RETRY_MS, signal);
      }
    }
  }

  slowMs(): number {
    return this.store.slowMs === 0 ? 0 : this.life.random.between(0, this.store.slowMs);
  }
}

interface Told extends Answer {
  readonly value?: unknown;
  readonly error?: unknown;
}

const NOBODY: Told = { kind: "dropped" };

function told(read: () => unknown): Told {
  try {
    return { kind: "value", value: read() };
  } catch (error) {
    return { kind: "error", error };
  }
}

function isSilent({ kind, acknowledged }: Answer): boolean {
  return kind === "dropped" || acknowledged === false;
}
