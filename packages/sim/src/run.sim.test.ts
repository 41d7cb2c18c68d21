import { expect, test } from "vitest";
import { runSeeds } from "./pool.ts";
import { planOf, run } from "./run.ts";

/** Seeds of `npm test`; the gate sets more. */
const SEEDS = Number(process.env.STEPPE_SIM_SEEDS ?? 50);

test("simulator: one seed run twice, does the same to the last event", { timeout: 300_000 }, async () => {
  const plan = planOf(4);
  const first = await run(plan);
  const second = await run(plan);
  expect(first.failures).toEqual([]);
  expect(second.digest).toBe(first.digest);
  expect(second.trace).toEqual(first.trace);
  expect(first.operations).toBeGreaterThan(20);
});

test(`simulator: ${SEEDS} seeds, find nothing wrong`, { timeout: 1_200_000 }, async () => {
  const reports: string[] = [];
  let operations = 0;
  await runSeeds(
    Array.from({ length: SEEDS }, (_, n) => n + 1),
    2,
    (outcome) => {
      operations += outcome.operations;
      if (!outcome.ok) reports.push(outcome.report);
    },
  );
  expect(reports.join("\n\n")).toBe("");
  expect(operations).toBeGreaterThan(20 * SEEDS);
});
