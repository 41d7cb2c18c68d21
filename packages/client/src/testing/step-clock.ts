import type { Clock } from "@steppe/model";

/** Time that moves only when a test says so. Starts at 0 ms, 2026-01-01 on the wall. */
export interface StepClock extends Clock {
  /** Fires what falls due within `ms`, in order, letting each firing have its consequences before the next. */
  advance(ms: number): Promise<void>;
  /** Timers not yet fired. */
  pending(): number;
}

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

const START_NS = Date.UTC(2026, 0, 1) * 1e6;

export function createStepClock(): StepClock {
  let nowMs = 0;
  const timers = new Set<Timer>();

  const nextDue = (untilMs: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  };

  return {
    monotonicMs: () => nowMs,
    wallNs: () => START_NS + nowMs * 1e6,
    after: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          timers.delete(timer);
          reject(signal?.reason);
        };
        const fire = () => {
          timers.delete(timer);
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        const timer = { dueMs: nowMs + ms, fire };
        timers.add(timer);
        signal?.addEventListener("abort", abort, { once: true });
      }),
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
        nowMs = Math.max(nowMs, timer.dueMs);
        timer.fire();
        await settle();
      }
      nowMs = untilMs;
    },
    pending: () => timers.size,
  };
}

/** Lets everything that is ready run: promises, and callbacks queued for the next turns of the loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
