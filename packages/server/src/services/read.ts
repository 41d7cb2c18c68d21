import { noQuorum } from "@steppe/log";
import { type Call, type Clock, SteppeError } from "@steppe/model";
import { type QueryMeta, QueryOptions } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import { blockingQuery, type Found, type WatchKey } from "@steppe/watch";
import { refuseIfCutOff } from "../cut-off.ts";
import type { Replica } from "../replica.ts";

export interface Answer<T> {
  readonly value: T;
  readonly meta: QueryMeta;
}

export interface Reader {
  readonly view: StateView;
  /**
   * Answers a read as fresh as its options ask, blocking until the key changed after
   * MinQueryIndex. Rejects with `no-quorum` when the log cannot say how fresh this replica is.
   */
  read<T>(
    query: QueryOptions | undefined,
    call: Call,
    key: WatchKey | readonly WatchKey[],
    find: (view: StateView) => Found<T>,
  ): Promise<Answer<T>>;
}

/** What it reads, and what tells how fresh that is. */
export type ReadReplica = Pick<Replica, "view" | "watches" | "freshness"> & {
  readonly log: Pick<Replica["log"], "lastIndexHere" | "silenceMs">;
  readonly proposer: Pick<Replica["proposer"], "barrier">;
  readonly applier: Pick<Replica["applier"], "keptIndex" | "waitFor">;
};

export function createReader(replica: ReadReplica, clock: Clock, fraction: () => number): Reader {
  const { view, watches } = replica;
  const catchUps = new CatchUps(replica, clock);
  return {
    view,
    async read(given, call, key, find) {
      const query = given ?? QueryOptions.create();
      if (!(query.AllowStale || isCurrent(replica, query.Consistent))) {
        await catchUps.join(query.Consistent, call.timeoutMs);
      }
      const { MinQueryIndex: minIndex, MaxQueryTime: maxTime } = query;
      const found =
        minIndex === 0
          ? find(view)
          : await blockingQuery(() => find(view), { minIndex, maxTime, key, call }, watches, clock, fraction);
      if (found.index > replica.applier.keptIndex) await untilKept(replica, found.index, query, call, clock);
      return { value: found.value, meta: queryMeta(replica, clock, found.index) };
    },
  };
}

/** Why the timer of a read ends early. One for all: the default reason is a new exception with its stack trace. */
const CAUGHT_UP = new Error("caught up");

/** Nobody to ask and nothing to wait for. */
function isCurrent({ log, view }: ReadReplica, consistent: boolean): boolean {
  return !consistent && log.lastIndexHere === view.index;
}

interface CatchUp {
  readonly consistent: boolean;
  readonly timeoutMs: number;
  readonly done: Promise<void>;
}

/**
 * Reads that come in one turn of the event loop ask the log together, once all of them are there: what is asked
 * is asked after each of them came, and timers and signals are the question's and not each read's.
 */
class CatchUps {
  readonly #replica: ReadReplica;
  readonly #clock: Clock;
  #gathering: CatchUp[] = [];

  constructor(replica: ReadReplica, clock: Clock) {
    this.#replica = replica;
    this.#clock = clock;
  }

  /** Resolves when this replica holds what the log held when this was called. */
  join(consistent: boolean, timeoutMs: number): Promise<void> {
    const gathering = this.#gathering.find((it) => it.consistent === consistent && it.timeoutMs === timeoutMs);
    if (gathering !== undefined) return gathering.done;
    const ask = () => catchUp(this.#replica, consistent, timeoutMs, this.#clock);
    if (this.#clock.afterTurn === undefined) return ask();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const begun: CatchUp = { consistent, timeoutMs, done };
    this.#gathering.push(begun);
    this.#clock.afterTurn(() => {
      this.#gathering = this.#gathering.filter((it) => it !== begun);
      resolve(ask());
    });
    return done;
  }
}

/** What it takes to hold what the log holds. */
export type CatchUpReplica = Pick<ReadReplica, "proposer" | "freshness"> & {
  readonly log: Pick<Replica["log"], "silenceMs">;
  readonly applier: Pick<Replica["applier"], "waitFor">;
};

/** Waits until this replica holds what the log holds now. Rejects with `no-quorum` when that takes longer. */
export async function catchUp(
  { log, proposer, freshness, applier }: CatchUpReplica,
  consistent: boolean,
  timeoutMs: number,
  clock: Clock,
): Promise<void> {
  refuseIfCutOff(log);
  await within(timeoutMs, clock, async (late) => {
    const index = consistent ? await proposer.barrier(late) : await freshness.lastIndex(late);
    await applier.waitFor(index, late);
  });
}

/** A stale read goes on while the disk takes nothing: it waits so long for what it shows to be there. */
const STALE_WAIT_MS = 50;

/** What is read may be on its way to this server's disk. Its index is told once it is there, so that it never goes back. */
async function untilKept(
  { applier }: ReadReplica,
  index: number,
  { AllowStale }: QueryOptions,
  call: Call,
  clock: Clock,
): Promise<void> {
  const kept = within(AllowStale ? STALE_WAIT_MS : call.timeoutMs, clock, (late) => applier.waitFor(index, late));
  await (AllowStale ? kept.catch(() => undefined) : kept);
}

/** Rejects with `no-quorum` when the work fails or takes longer; the work is given the signal that says so. */
async function within(ms: number, clock: Clock, work: (late: AbortSignal) => Promise<void>): Promise<void> {
  const late = new AbortController();
  const done = new AbortController();
  const timer = clock.after(ms, done.signal).then(
    () => late.abort(new Error(`the replica did not catch up within ${ms} ms`)),
    // Cut short, because the replica caught up or failed.
    () => undefined,
  );
  try {
    await work(late.signal);
  } catch (cause) {
    if (cause instanceof SteppeError) throw cause;
    throw noQuorum(cause);
  } finally {
    done.abort(CAUGHT_UP);
    await timer;
  }
}

function queryMeta({ view, log }: ReadReplica, clock: Clock, index: number): QueryMeta {
  return {
    Index: Math.max(index, 1),
    LastContact: Math.round(log.silenceMs() * 1e6),
    KnownLeader: view.lease !== undefined && view.lease.Expires > clock.wallNs(),
    NextToken: "",
  };
}

/** The namespace that a query means, and whether an object of one is in it. */
export function inNamespace(query: QueryOptions | undefined): (namespace: string) => boolean {
  const asked = namespaceOf(query);
  return asked === "*" ? () => true : (namespace) => namespace === asked;
}

export function namespaceOf(options: { readonly Namespace: string } | undefined): string {
  return options === undefined || options.Namespace === "" ? "default" : options.Namespace;
}
