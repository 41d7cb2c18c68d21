import { type Clock, type Logger, type Random, silentLogger } from "@steppe/model";
import { type Command, Entry, type Outcome } from "@steppe/proto";
import { apply, State, type StateView } from "@steppe/state";
import type { Bus } from "../bus.ts";
import type { LeaderNeeds } from "../leader.ts";
import type { AppliedEntry, Propose } from "../region-log.ts";
import { LocalBus } from "./local-bus.ts";
import { createStepClock, type StepClock } from "./step-clock.ts";

/**
 * A region in one process: a log that is an array, and replicas of the real state that apply it.
 * Everything passes through the production codecs, so replicas share no object. Proposals of one
 * turn share no entry; each is its own.
 */
export class TestRegion {
  readonly clock: StepClock = createStepClock();
  readonly bus: LocalBus = new LocalBus();
  readonly log: Uint8Array[] = [];
  readonly members: Member[] = [];
  #lastTime = 0;
  #lastTimeAtMs = 0;

  /** A process with a replica, up to date. `clock`: its own, when it is not the region's. */
  member(name: string, clock: Clock = this.clock): Member {
    const member = new Member(this, name, clock, this.members.length + 1);
    this.members.push(member);
    member.catchUp();
    return member;
  }

  /** Log time keeps up with real time even where the proposer's clock is behind. */
  append(command: Command, wallNs: number): void {
    const nowMs = this.clock.monotonicMs();
    const reckonedNs = this.#lastTime + (nowMs - this.#lastTimeAtMs) * 1e6;
    this.#lastTime = Math.max(wallNs, reckonedNs);
    this.#lastTimeAtMs = nowMs;
    this.log.push(Entry.encode({ Time: this.#lastTime, Commands: [command] }).finish());
    for (const member of this.members) member.catchUp();
  }
}

/** One process of the region: its replica and its ends of log and bus. It is what the duties need. */
export class Member implements LeaderNeeds {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger = silentLogger;
  readonly bus: Bus;
  readonly state: State = new State();
  readonly view: StateView = this.state;
  /** Applies nothing while set, like a replica that lags. `catchUp` after unsetting it. */
  lagging = false;
  /** Neither log nor bus reach it, nor it them. */
  cut = false;
  readonly #region: TestRegion;
  readonly #listeners: Set<(applied: AppliedEntry) => void> = new Set();
  readonly #waiting: Map<string, (outcome: Outcome) => void> = new Map();

  constructor(region: TestRegion, name: string, clock: Clock, seed: number) {
    this.#region = region;
    this.name = name;
    this.clock = clock;
    this.random = seededRandom(seed);
    this.bus = region.bus.connect(() => this.cut);
  }

  readonly digest = (): number => this.state.digest.value;

  readonly onApplied = (listener: (applied: AppliedEntry) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly propose: Propose = async (kind, { requestId, signal, timeoutMs = 10_000 } = {}) => {
    signal?.throwIfAborted();
    const RequestID = requestId ?? this.random.id();
    const applied = new Promise<Outcome>((resolve) => this.#waiting.set(RequestID, resolve));
    await Promise.resolve();
    if (!this.cut) {
      this.#region.append(
        { RequestID, IDSeed: this.random.bytes(16), Kind: kind, Fingerprint: "" },
        this.clock.wallNs(),
      );
    }
    return await this.#within(applied, timeoutMs, signal);
  };

  readonly waitFor = async (index: number, signal?: AbortSignal): Promise<void> => {
    if (this.state.index >= index) return;
    await new Promise<void>((resolve, reject) => {
      const stop = this.onApplied((applied) => {
        if (applied.index < index) return;
        stop();
        resolve();
      });
      signal?.addEventListener("abort", () => {
        stop();
        reject(signal.reason);
      });
    });
  };

  catchUp(): void {
    while (!this.lagging && !this.cut && this.state.index < this.#region.log.length) this.#applyNext();
  }

  #applyNext(): void {
    const index = this.state.index + 1;
    const entry = Entry.decode(this.#region.log[index - 1] as Uint8Array);
    const { outcomes, changes } = apply(this.state, index, entry);
    for (const listener of [...this.#listeners]) listener({ index, entry, outcomes, changes });
    for (const [i, { RequestID }] of entry.Commands.entries()) {
      this.#waiting.get(RequestID)?.(outcomes[i] as Outcome);
      this.#waiting.delete(RequestID);
    }
  }

  async #within<T>(promise: Promise<T>, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    const done = new AbortController();
    const stop = AbortSignal.any(signal === undefined ? [done.signal] : [done.signal, signal]);
    const timeout = this.clock.after(timeoutMs, stop).then(() => {
      throw new Error("no answer from the log");
    });
    try {
      return await Promise.race([promise, timeout]);
    } finally {
      done.abort();
    }
  }
}

/** The same numbers on every run. */
export function seededRandom(seed: number): Random {
  let state = seed * 0x9e3779b1;
  const word = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    const a = Math.imul(state ^ (state >>> 15), 1 | state);
    const b = (a + Math.imul(a ^ (a >>> 7), 61 | a)) ^ a;
    return (b ^ (b >>> 14)) >>> 0;
  };
  const bytes = (length: number) => Uint8Array.from({ length }, () => word() & 0xff);
  const id = () => {
    const hex = [...bytes(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  return { bytes, id, fraction: () => word() / 0x1_0000_0000 };
}
