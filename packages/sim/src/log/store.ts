/**
 * What a region's NATS cluster keeps: its logs by epoch, and the snapshots of each. It may be down, without a leader, or
 * come back without what it had acknowledged. `log-end.ts` and `logs-end.ts` are a process's ends of it.
 */
import { type LogIdentity, sameLog } from "@steppe/log";
import type { SeededRandom } from "../kernel/random.ts";
import type { Tip } from "../world/witness.ts";
import { LogStream } from "./stream.ts";

/** What becomes of an append that arrives. */
export type Fate =
  /** Stored; `acknowledged` if the answer is sent. */
  | { readonly kind: "stored"; readonly index: number; readonly acknowledged: boolean }
  /** Refused for certain: no stream leader, or the log takes no more. */
  | { readonly kind: "refused"; readonly sealed: boolean }
  /** Nobody answers, and it is not stored, or much later. */
  | { readonly kind: "dropped" };

/** Faults of all logs of the region, while they last. */
export interface LogFault {
  /** No leader: nothing is stored. */
  readonly stalled?: boolean;
  /** Of what is stored, how often no acknowledgement is sent. */
  readonly ackLoss?: number;
  /** How often a record is stored twice, as when a client's library sends again. */
  readonly doubled?: number;
  /** Milliseconds that an append and its acknowledgement take more, at most. */
  readonly slowMs?: number;
  /** Of what arrives while there is no leader, how much the one that is elected then turns out to have. */
  readonly keptByNext?: number;
  /** Nothing can be read either, and no connection outlasts it. */
  readonly down?: boolean;
}

export interface KeptSnapshot {
  readonly index: number;
  readonly data: Uint8Array;
}

/** Who sees what the logs hold. */
export interface LogJudge {
  /** A record was stored behind `tip`. */
  stored(tip: Tip, index: number, payload: Uint8Array): Tip;
  /** A log was made that begins with that snapshot. */
  begun(identity: LogIdentity, snapshot: Uint8Array | undefined): Tip;
}

/** All that the cluster's disks hold. */
export interface Backup {
  readonly streams: readonly LogStream[];
  readonly snapshots: ReadonlyMap<string, KeptSnapshot>;
}

export class LogStore {
  readonly place: string;
  readonly #random: SeededRandom;
  readonly #judge: LogJudge;
  readonly #faults: Set<LogFault> = new Set();
  readonly #listeners: Set<() => void> = new Set();
  /** Ascending by epoch. */
  #streams: LogStream[] = [];
  #snapshots: Map<string, KeptSnapshot> = new Map();
  /** What a leader that went has taken and nobody knows of. */
  #limbo: { readonly stream: LogStream; readonly payload: Uint8Array }[] = [];
  #made = 0;
  #restarts = 0;
  #breaks = 0;
  #lagging = 0;
  /** It lost what it had acknowledged, and the region has not rebuilt its log yet. */
  isLost = false;
  /** Epochs of logs that lost something. */
  readonly #lostEpochs: Set<number> = new Set();

  constructor(place: string, random: SeededRandom, judge: LogJudge) {
    this.place = place;
    this.#random = random;
    this.#judge = judge;
  }

  get streams(): readonly LogStream[] {
    return this.#streams;
  }

  /** The log of the largest epoch, sealed or not. */
  get newest(): LogStream | undefined {
    return this.#streams.at(-1);
  }

  /** Times that every connection to it broke. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Times that somebody else may have come to order the logs, restarts included. */
  get breaks(): number {
    return this.#breaks;
  }

  get hasLeader(): boolean {
    return ![...this.#faults].some(({ stalled, down }) => stalled === true || down === true);
  }

  get isDown(): boolean {
    return [...this.#faults].some(({ down }) => down === true);
  }

  get slowMs(): number {
    return Math.max(0, ...[...this.#faults].map(({ slowMs }) => slowMs ?? 0));
  }

  fault(fault: LogFault): () => void {
    this.#faults.add(fault);
    if (fault.down) {
      this.#restarts += 1;
      this.#breaks += 1;
      this.#changed();
    }
    return () => {
      const had = this.hasLeader;
      this.#faults.delete(fault);
      if (this.hasLeader && !had) this.#elected();
      this.#changed();
    };
  }

  /** Where a log ends, as a leader tells that was just elected and has not taken in all that is committed. */
  lastTold(stream: LogStream): number {
    return Math.max(stream.firstIndex - 1, stream.lastIndex - this.#lagging);
  }

  /** For so long its leader tells of fewer records than there are. */
  lag(records: number): () => void {
    this.#lagging = records;
    return () => {
      this.#lagging = 0;
    };
  }

  hasLost(epoch: number): boolean {
    return this.#lostEpochs.has(epoch);
  }

  find(log: LogIdentity): LogStream | undefined {
    return this.#streams.find(({ identity }) => sameLog(identity, log));
  }

  /** False: there is one of that epoch. */
  create(identity: LogIdentity): boolean {
    if (this.#streams.some((stream) => stream.identity.epoch === identity.epoch)) return false;
    this.#made += 1;
    const origin = this.#judge.begun(identity, this.snapshotOf(identity)?.data);
    this.#streams.push(new LogStream(identity, String(this.#made), origin));
    this.#streams.sort((a, b) => a.identity.epoch - b.identity.epoch);
    this.isLost = false;
    this.#changed();
    return true;
  }

  seal(log: LogIdentity): void {
    const stream = this.find(log);
    if (stream !== undefined) stream.sealed = true;
    this.#changed();
  }

  append(stream: LogStream | undefined, payload: Uint8Array): Fate {
    const faults = [...this.#faults];
    if (!this.hasLeader) return this.#leaderless(stream, payload);
    if (stream === undefined || stream.sealed) return { kind: "refused", sealed: stream !== undefined };
    this.#store(stream, payload);
    const index = stream.lastIndex;
    if (faults.some(({ doubled }) => this.#random.chance(doubled ?? 0))) this.#store(stream, payload);
    return { kind: "stored", index, acknowledged: !faults.some(({ ackLoss }) => this.#random.chance(ackLoss ?? 0)) };
  }

  truncate(log: LogIdentity, index: number): void {
    this.find(log)?.truncate(index);
  }

  snapshotOf(log: LogIdentity): KeptSnapshot | undefined {
    return this.#snapshots.get(keyOf(log));
  }

  keepSnapshot(log: LogIdentity, snapshot: KeptSnapshot): void {
    if (snapshot.index >= (this.snapshotOf(log)?.index ?? 0)) this.#snapshots.set(keyOf(log), snapshot);
  }

  backup(): Backup {
    return { streams: this.#streams.map((stream) => stream.copy()), snapshots: new Map(this.#snapshots) };
  }

  /** Its disks hold that, and nothing else. */
  restore({ streams, snapshots }: Backup): void {
    this.#streams = streams.map((stream) => stream.copy());
    this.#snapshots = new Map(snapshots);
    this.#lost();
  }

  /** The newest log ends at `last` from now on. */
  loseTail(last: number): void {
    this.newest?.loseTail(last);
    this.#lost();
  }

  /** The newest log is made again, empty, and all else is gone. */
  loseRecords(): void {
    this.#made += 1;
    this.#streams = this.#streams.slice(-1).map((newest) => newest.emptied(String(this.#made)));
    this.#snapshots.clear();
    this.#lost();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #lost(): void {
    this.isLost = true;
    for (const { identity } of this.#streams) this.#lostEpochs.add(identity.epoch);
    this.#limbo = [];
    this.#changed();
  }

  #leaderless(stream: LogStream | undefined, payload: Uint8Array): Fate {
    const kept = Math.max(0, ...[...this.#faults].map(({ keptByNext }) => keptByNext ?? 0));
    if (stream !== undefined && this.#random.chance(kept)) {
      this.#limbo.push({ stream, payload });
      return { kind: "dropped" };
    }
    return this.#random.chance(0.5) ? { kind: "refused", sealed: false } : { kind: "dropped" };
  }

  #elected(): void {
    this.#breaks += 1;
    for (const { stream, payload } of this.#limbo.splice(0)) if (!stream.sealed) this.#store(stream, payload);
  }

  #store(stream: LogStream, payload: Uint8Array): void {
    stream.add(payload, this.#judge.stored(stream.tip, stream.lastIndex + 1, payload));
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function keyOf({ epoch, id }: LogIdentity): string {
  return `${epoch} ${id}`;
}
