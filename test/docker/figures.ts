// From what clients wrote down to the figures of a scenario. Pure.
import { checkExactlyOnce, checkLinearizable, jobRegister } from "@steppe/sim";
import { longestGap, percentile } from "../kit/samples.ts";
import type { Region } from "./cluster.ts";
import { type Done, type Load, STEADY, type Steadiness } from "./load.ts";

/** When what happened, on the clock of the operations. */
export interface Moments {
  readonly fault: number;
  readonly healed: number;
  readonly end: number;
}

export interface RegionFigures {
  readonly region: Region;
  readonly faulted: boolean;
  /** Longest time without an acknowledged write, from the fault to the end. */
  readonly longestGapMs: number;
  /** The same before the fault: what the machine is busy with has a part in both. */
  readonly longestGapBeforeMs: number;
  /** Longest time without a finished evaluation. */
  readonly longestSchedulingGapMs: number;
  /** From the fault until all tasks ran for good; 0 when they never stopped. */
  readonly allRunAgainMs: number;
  readonly p99BeforeMs: number;
  /** While the fault lasted. */
  readonly p99DuringMs: number;
  /** Requests for regions under fault while it lasted: the slowest, and what those that failed were told. */
  readonly slowestForwardMs: number;
  readonly forwardAnswers: readonly string[];
}

export interface Figures {
  readonly tried: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly lost: number;
  readonly doubled: number;
  /** What the checkers object to; empty: nothing. */
  readonly objections: readonly string[];
  readonly regions: readonly RegionFigures[];
}

const WRITES: readonly Done["kind"][] = ["write", "dispatch"];

export function figuresOf(
  load: Pick<Load, "done" | "history" | "steadiness">,
  effects: readonly string[],
  faulted: readonly Region[],
  regions: readonly Region[],
  moments: Moments,
): Figures {
  const writes = load.done.filter(({ kind }) => WRITES.includes(kind));
  const count = (outcome: Done["outcome"]) => writes.filter((done) => done.outcome === outcome).length;
  const marked = writes.flatMap(({ mark, outcome }) => (mark === undefined ? [] : [{ mark, outcome }]));
  const faults = checkExactlyOnce(marked, effects);
  const verdict = checkLinearizable(load.history, jobRegister);
  const objections = Object.entries(faults).flatMap(([kind, marks]) => {
    return marks.length === 0 ? [] : [`${kind}: ${marks.slice(0, 5).join(", ")}${marks.length > 5 ? " …" : ""}`];
  });
  if (!verdict.ok)
    objections.push(`${verdict.key} is ${verdict.reason}: ${JSON.stringify(verdict.unexplained.slice(0, 3))}`);
  return {
    tried: writes.length,
    acknowledged: count("ok"),
    refused: count("failed"),
    unknown: count("unknown"),
    lost: faults.lost.length + (verdict.ok || verdict.reason === "undecided" ? 0 : 1),
    doubled: faults.doubled.length,
    objections,
    regions: regions.map((region) => regionFigures(load, region, faulted, moments)),
  };
}

function regionFigures(
  load: Pick<Load, "done" | "steadiness">,
  region: Region,
  faulted: readonly Region[],
  moments: Moments,
): RegionFigures {
  const own = load.done.filter((done) => done.region === region);
  const ends = (kinds: readonly Done["kind"][]) =>
    own.filter(({ kind, outcome }) => kinds.includes(kind) && outcome === "ok").map(({ end }) => end);
  const during = ({ start }: Done) => start >= moments.fault && start < moments.healed;
  const local = own.filter(({ kind, outcome }) => outcome === "ok" && (WRITES.includes(kind) || kind === "read"));
  const forwards = own.filter((done) => done.kind === "forward" && faulted.includes(done.to as Region) && during(done));
  return {
    region,
    faulted: faulted.includes(region),
    longestGapMs: longestGap(ends(WRITES), moments.fault, moments.end),
    longestGapBeforeMs: longestGap(ends(WRITES), Math.min(moments.fault, ...ends(WRITES)), moments.fault),
    longestSchedulingGapMs: longestGap(ends(["schedule"]), moments.fault, moments.end),
    allRunAgainMs: allRunAgain(
      load.steadiness.filter((it) => it.region === region),
      moments,
    ),
    p99BeforeMs: percentile(local.filter(({ end }) => end < moments.fault).map(tookMs), 0.99),
    p99DuringMs: percentile(local.filter(during).map(tookMs), 0.99),
    slowestForwardMs: Math.max(0, ...forwards.map(tookMs)),
    forwardAnswers: [...new Set(forwards.filter(({ outcome }) => outcome !== "ok").map(({ text }) => text ?? ""))],
  };
}

export function tookMs({ start, end }: Done): number {
  return end - start;
}

function allRunAgain(steadiness: readonly Steadiness[], { fault, end }: Moments): number {
  const after = steadiness.filter(({ at }) => at > fault && at <= end);
  const lastBad = after.findLastIndex(({ running }) => running < STEADY);
  if (lastBad < 0) return 0;
  return (after[lastBad + 1]?.at ?? Number.POSITIVE_INFINITY) - fault;
}
