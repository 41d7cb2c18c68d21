import type { Lease } from "@steppe/proto";

/** What follows from the life of a claim. All milliseconds. */
export interface LeaseTiming {
  readonly ttlMs: number;
  /** The holder renews this long after it sent its last good claim. */
  readonly renewAfterMs: number;
  /** The holder acts this long after it sent its last good claim, and no longer. */
  readonly safeForMs: number;
  /** Between two attempts when one failed. */
  readonly retryMs: number;
}

/**
 * A third of the life leaves time for a second and third renewal. A tenth is held back for clocks
 * that run at different rates: far more than quartz drifts, even under a virtual machine.
 */
export function timingOf(ttlMs: number): LeaseTiming {
  return { ttlMs, renewAfterMs: ttlMs / 3, safeForMs: ttlMs * 0.9, retryMs: ttlMs / 10 };
}

/** The lease as the applied log last told of it, on the own monotonic clock. */
export interface SeenLease {
  /** 0: none was ever claimed. */
  readonly term: number;
  readonly holder: string;
  /** Of its last change: a claim must know of it. */
  readonly index: number;
  /** Released, or run out when it was seen. */
  readonly free: boolean;
  /** Own monotonic time from which it cannot be renewed any more, as far as can be told from here. */
  readonly runsOutMs: number;
}

/**
 * `logTimeNs` is the log time at which it was seen: what is left of the lease in log time is
 * counted from now on the own clock, so that wall clocks that differ between servers do not matter.
 */
export function see(lease: Readonly<Lease> | undefined, logTimeNs: number, nowMs: number): SeenLease {
  if (lease === undefined) return { term: 0, holder: "", index: 0, free: true, runsOutMs: nowMs };
  const leftMs = Math.max(0, (lease.Expires - logTimeNs) / 1e6);
  const { Term: term, Holder: holder, Index: index } = lease;
  return { term, holder, index, free: leftMs === 0, runsOutMs: nowMs + leftMs };
}

/**
 * As `see`, for the lease found at start. Log time stands still in a region that was down, so the
 * wall clock is asked too: where it says that the lease ran out longer ago than its life, half a
 * life of silence is enough. A holder renews in less, should the wall clock be wrong.
 */
export function seeAtStart(
  lease: Readonly<Lease> | undefined,
  logTimeNs: number,
  wallNs: number,
  nowMs: number,
  timing: LeaseTiming,
): SeenLease {
  const seen = see(lease, logTimeNs, nowMs);
  const longPast = lease !== undefined && wallNs - lease.Expires >= timing.ttlMs * 1e6;
  return longPast ? { ...seen, runsOutMs: Math.min(seen.runsOutMs, nowMs + timing.ttlMs / 2) } : seen;
}

/** When a server that does not hold the lease claims it. `jitter` in [0, 1) keeps the servers apart. */
export function claimAtMs(seen: SeenLease, jitter: number, timing: LeaseTiming): number {
  // A free lease needs no patience with clocks, only enough spread that not all claim at once.
  return seen.runsOutMs + jitter * timing.ttlMs * (seen.free ? 0.01 : 0.1);
}

/** What a holder knows of its own claim. */
export interface HeldLease {
  readonly term: number;
  /** Own monotonic time before the last acknowledged claim or renewal was sent. */
  readonly sentMs: number;
  /** A renewal is under way. */
  readonly renewing: boolean;
  /** Not to be renewed before. */
  readonly renewAtMs: number;
}

export type HolderAction =
  | { readonly kind: "resign"; readonly reason: string }
  | { readonly kind: "renew" }
  | { readonly kind: "wait"; readonly ms: number };

/** What a holder does next. It resigns by its own clock before anyone else can have the lease. */
export function decideHolder(held: HeldLease, seen: SeenLease, nowMs: number, timing: LeaseTiming): HolderAction {
  if (seen.term > held.term) return { kind: "resign", reason: `term ${seen.term} is held by ${seen.holder}` };
  const endMs = held.sentMs + timing.safeForMs;
  if (nowMs >= endMs) return { kind: "resign", reason: `term ${held.term} was not renewed in time` };
  if (!held.renewing && nowMs >= held.renewAtMs) return { kind: "renew" };
  return { kind: "wait", ms: Math.min(endMs, held.renewing ? endMs : held.renewAtMs) - nowMs };
}
