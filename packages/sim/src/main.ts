// npm run sim: simulates regions under faults, seed after seed.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runSeeds, type SeedOutcome } from "./pool.ts";
import { reportFailure, summary } from "./report.ts";
import { planOf, run } from "./run.ts";
import { shrink } from "./shrink.ts";

const HELP = `Usage: npm run sim -- [options]

Runs regions of servers, workers and nodes in virtual time, with faults, and checks what they promise.
Everything about a run follows from its seed. Exits with 1 when a seed fails.

Options:
  --seeds N     run N seeds (default 100)
  --first N     the first of them (default 1)
  --seed N      run this seed alone, twice, and show that both runs are the same
  --trace       with --seed: print all that happened
  --threads N   seeds at one time (default: one a processor)
  --help        this text
`;

const REPORT_MS = 5000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    first: { type: "string" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    threads: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else if (values.seed !== undefined) process.exitCode = await replay(whole("--seed", values.seed), values.trace);
else {
  const first = whole("--first", values.first ?? "1");
  const threads = whole("--threads", values.threads ?? String(availableParallelism()));
  process.exitCode = await runMany(first, whole("--seeds", values.seeds ?? "100"), threads);
}

function whole(option: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  process.stderr.write(`sim: ${option} needs a whole number, not "${text}"\n${HELP}`);
  process.exit(2);
}

async function replay(seed: number, trace: boolean): Promise<number> {
  const plan = planOf(seed);
  const result = await run(plan, { verbose: trace });
  if (trace) say(result.trace.join("\n"));
  const again = await run(plan, { verbose: trace });
  say(`seed ${seed}: ${summary(result)}`);
  say(again.digest === result.digest ? "a second run was the same" : `a second run differed: ${summary(again)}`);
  if (result.failures.length === 0) return again.digest === result.digest ? 0 : 1;
  say(reportFailure(seed, plan.faults.length, await shrink(plan, result)));
  return 1;
}

async function runMany(first: number, count: number, threads: number): Promise<number> {
  const begunMs = performance.now();
  const failed: number[] = [];
  const sum = { seeds: 0, events: 0, operations: 0 };
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const progress = () => {
    const seconds = (performance.now() - begunMs) / 1000;
    const rate = `${(sum.seeds / seconds).toFixed(1)} seeds/s`;
    const counts = `${sum.events} events, ${sum.operations} register operations`;
    say(`${sum.seeds}/${count} seeds in ${seconds.toFixed(0)} s (${rate}), ${failed.length} failed; ${counts}`);
  };
  const timer = setInterval(progress, REPORT_MS);
  const done = ({ seed, ok, report, events, operations }: SeedOutcome) => {
    sum.seeds += 1;
    sum.events += events;
    sum.operations += operations;
    if (ok) return;
    failed.push(seed);
    say(report);
  };
  await runSeeds(
    Array.from({ length: count }, (_, n) => first + n),
    threads,
    done,
    stop.signal,
  );
  clearInterval(timer);
  progress();
  if (failed.length > 0) say(`failed seeds: ${failed.join(", ")}`);
  return failed.length === 0 && sum.seeds === count ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
