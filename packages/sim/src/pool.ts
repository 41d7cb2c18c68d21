// Many seeds over threads.
import { once } from "node:events";
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

/**
 * A simulated process that dies leaves signals that Node keeps as long as somebody listens to them, and with them its
 * whole world: about 10 MB a seed. They go with their thread.
 */
const SEEDS_A_THREAD = 40;

/** Takes seeds until none is left, a new thread after every so many. */
async function runThread(left: number[], done: (outcome: SeedOutcome) => void, signal: AbortSignal): Promise<void> {
  while (left.length > 0 && !signal.aborted) {
    const worker = new Worker(new URL("./pool-thread.ts", import.meta.url));
    try {
      for (let n = 0; n < SEEDS_A_THREAD; n++) {
        const seed = signal.aborted ? undefined : left.shift();
        if (seed === undefined) break;
        worker.postMessage(seed);
        const [outcome] = (await once(worker, "message")) as [SeedOutcome];
        done(outcome);
      }
    } finally {
      await worker.terminate();
    }
  }
}
