import { describeFault } from "./faults/faults.ts";
import type { RunResult } from "./run.ts";
import type { Shrunk } from "./shrink.ts";

/** Lines of the trace that are shown of a failure. */
const TAIL = 40;

/** What a failed seed prints: what was wrong, the faults that it takes, and what happened last. */
export function reportFailure(seed: number, faultsBefore: number, { plan, result, runs }: Shrunk): string {
  const { regions } = plan.world;
  const shape = regions.map(
    ({ name, servers, workers, nodes }) => `${name}: ${servers} servers, ${workers} workers, ${nodes} nodes`,
  );
  const failures = result.failures.map(
    ({ check, text, atMs }) => `  ${check} at ${(atMs / 1000).toFixed(3)} s: ${text}`,
  );
  return [
    `seed ${seed} failed`,
    ...failures,
    `regions: ${shape.join("; ")}`,
    `faults: ${plan.faults.length} of ${faultsBefore} are enough (found in ${runs} runs)`,
    ...plan.faults.map((fault) => `  at ${(fault.atMs / 1000).toFixed(3)} s ${describeFault(fault)}`),
    "what happened last:",
    ...result.trace.slice(-TAIL).map((line) => `  ${line}`),
    `replay it with: npm run sim -- --seed ${seed} --trace`,
  ].join("\n");
}

/** One line for a run. */
export function summary({
  digest,
  events,
  entries,
  operations,
  blockingAnswers,
  launches,
  terms,
  rebuilds,
  tookMs,
}: RunResult): string {
  return (
    `${(tookMs / 1000).toFixed(0)} virtual seconds, ${events} events, ${entries} log entries, ${terms} lease terms, ${rebuilds} rebuilds, ` +
    `${operations} register operations, ${blockingAnswers} blocking answers, ${launches} launches, digest ${digest.toString(16)}`
  );
}
