// Many seeds over threads.
import { Worker } from "node:worker_threads";

export interface SeedOutcome {
  readonly seed: number;
  readonly ok: boolean;
  /** Of a failure; one line a failure otherwise. */
  readonly report: string;
  readonly events: number;
  readonly operations: number;
}

/** Runs the seeds, each in one of `threads` threads; calls `done` after each, in the order in which they end. */
export async function runSeeds(
  seeds: readonly number[],
  threads: number,
  done: (outcome: SeedOutcome) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const left = [...seeds];
  const workers = Array.from({ length: Math.min(threads, left.length) }, () => runThread(left, done, signal));
  await Promise.all(workers);
}

function runThread(left: number[], done: (outcome: SeedOutcome) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./pool-thread.ts", import.meta.url));
    const next = () => {
      const seed = signal.aborted ? undefined : left.shift();
      if (seed !== undefined) return worker.postMessage(seed);
      void worker.terminate().then(() => resolve());
    };
    worker.on("message", (outcome: SeedOutcome) => {
      done(outcome);
      next();
    });
    worker.on("error", reject);
    next();
  });
}
