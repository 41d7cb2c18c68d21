import { parentPort } from "node:worker_threads";
import type { SeedOutcome } from "./pool.ts";
import { reportFailure } from "./report.ts";
import { planOf, run } from "./run.ts";
import { shrink } from "./shrink.ts";

parentPort?.on("message", async (seed: number) => {
  const plan = planOf(seed);
  const result = await run(plan);
  const ok = result.failures.length === 0;
  const report = ok ? "" : reportFailure(seed, plan.faults.length, await shrink(plan, result));
  const outcome: SeedOutcome = { seed, ok, report, events: result.events, operations: result.operations };
  parentPort?.postMessage(outcome);
});
