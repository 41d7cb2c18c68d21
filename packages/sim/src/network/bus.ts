/**
 * A region's bus as NATS carries it: each process has one connection to the cluster; messages of one connection to one
 * other arrive in order, at most once, or never.
 */
import { BusError, type RegionBus } from "@steppe/log";
import { Lane, type Life } from "../kernel/life.ts";
import type { SeededRandom } from "../kernel/random.ts";
import type { Network } from "./network.ts";

interface Listener {
  readonly life: Life;
  readonly hear: (payload: Uint8Array, answer: (payload: Uint8Array) => void) => void;
}

interface Subject {
  readonly subscribers: Set<Listener>;
  readonly servers: Set<Listener>;
}

/** Why a timer ends early. One for all: the default reason is a new exception with its stack trace. */
const SETTLED = new Error("settled");

const LOSSY = { kept: 0, mayBeLost: true };

export class BusHub {
  readonly place: string;
  readonly #network: Network;
  readonly #random: SeededRandom;
  readonly #subjects: Map<string, Subject> = new Map();
  readonly #lanes: Map<string, Lane> = new Map();

  constructor(place: string, network: Network, random: SeededRandom) {
    this.place = place;
    this.#network = network;
    this.#random = random;
  }

  connect(life: Life): RegionBus {
    const closing = new AbortController();
    life.onEnd(() => this.#forget(life));
    return {
      publish: (subject, payload) => {
        const copy = payload.slice();
        life.effect(() => this.#route(life, subject, copy, () => undefined));
      },
      request: (subject, payload, timeoutMs, signal) =>
        this.#request(
          life,
          subject,
          payload.slice(),
          timeoutMs,
          AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]),
        ),
      subscribe: (subject, handle, signal) =>
        this.#listen(
          this.#subject(subject).subscribers,
          { life, hear: (payload) => tell(life, subject, handle, payload) },
          signal,
        ),
      serve: (subject, handle, signal) =>
        this.#listen(this.#subject(subject).servers, { life, hear: serving(life, subject, handle) }, signal),
      close: async () => {
        closing.abort(new BusError("closed", "the bus is closed"));
        this.#forget(life);
      },
    };
  }

  #subject(name: string): Subject {
    let subject = this.#subjects.get(name);
    if (subject === undefined) {
      subject = { subscribers: new Set(), servers: new Set() };
      this.#subjects.set(name, subject);
    }
    return subject;
  }

  #listen(to: Set<Listener>, listener: Listener, signal: AbortSignal): void {
    if (signal.aborted || !listener.life.isAlive) return;
    to.add(listener);
    signal.addEventListener("abort", () => to.delete(listener), { once: true });
  }

  #forget(life: Life): void {
    for (const { subscribers, servers } of this.#subjects.values()) {
      for (const listeners of [subscribers, servers]) {
        for (const listener of listeners) if (listener.life === life) listeners.delete(listener);
      }
    }
  }

  /** From the cluster to everyone who listens and one of those who serve; false when there is nobody. */
  #route(from: Life, name: string, payload: Uint8Array, answered: (payload: Uint8Array) => void): void {
    this.#network.send(from.name, this.place, LOSSY, (atMs) =>
      from.kernel.at(atMs, `${this.place} ${name}`, () =>
        this.#deliver(from, name, payload, answered, () => undefined),
      ),
    );
  }

  #deliver(
    from: Life,
    name: string,
    payload: Uint8Array,
    answered: (payload: Uint8Array) => void,
    nobody: () => void,
  ): void {
    const { subscribers, servers } = this.#subject(name);
    if (subscribers.size + servers.size === 0) {
      nobody();
      return;
    }
    const server = servers.size === 0 ? [] : [this.#random.pick([...servers])];
    for (const listener of [...subscribers, ...server]) {
      this.#network.send(this.place, listener.life.name, LOSSY, (atMs) =>
        this.#lane(from, listener.life).post(atMs, name, () =>
          listener.hear(payload, (answer) => this.#answer(listener.life, from, name, answer.slice(), answered)),
        ),
      );
    }
  }

  #answer(from: Life, to: Life, name: string, answer: Uint8Array, answered: (payload: Uint8Array) => void): void {
    from.effect(() =>
      this.#network.send(from.name, this.place, LOSSY, (atMs) =>
        from.kernel.at(atMs, `${this.place} answer`, () =>
          this.#network.send(this.place, to.name, LOSSY, (thenMs) =>
            to.post(thenMs, `answer on ${name}`, () => answered(answer)),
          ),
        ),
      ),
    );
  }

  #request(life: Life, name: string, payload: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const done = new AbortController();
      const settle = (how: () => void) => {
        if (done.signal.aborted) return;
        done.abort(SETTLED);
        signal.removeEventListener("abort", abort);
        how();
      };
      const abort = () => settle(() => reject(signal.reason));
      signal.addEventListener("abort", abort, { once: true });
      life.clock.after(timeoutMs, done.signal).then(
        () => settle(() => reject(new BusError("timeout", `no answer on ${name} within ${timeoutMs} ms`))),
        () => undefined,
      );
      const answered = (answer: Uint8Array) => settle(() => resolve(answer));
      const nobody = () =>
        this.#network.send(this.place, life.name, LOSSY, (atMs) =>
          life.post(atMs, `nobody on ${name}`, () =>
            settle(() => reject(new BusError("no-responders", `nobody serves ${name}`))),
          ),
        );
      life.effect(() =>
        this.#network.send(life.name, this.place, LOSSY, (atMs) =>
          life.kernel.at(atMs, `${this.place} ${name}`, () => this.#deliver(life, name, payload, answered, nobody)),
        ),
      );
    });
  }

  #lane(from: Life, to: Life): Lane {
    const key = `${from.name} ${to.name}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined || !lane.isOf(to)) {
      lane = new Lane(to);
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

function tell(life: Life, subject: string, handle: (payload: Uint8Array) => void, payload: Uint8Array): void {
  try {
    handle(payload);
  } catch (err) {
    life.logger.error({ err, subject }, "a bus subscriber failed");
  }
}

function serving(life: Life, subject: string, handle: (payload: Uint8Array) => Promise<Uint8Array>): Listener["hear"] {
  return (payload, answer) => {
    handle(payload).then(answer, (err) => life.logger.warn({ err, subject }, "a bus request was not answered"));
  };
}
