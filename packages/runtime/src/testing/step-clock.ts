import type { Clock } from "@steppe/model";

/** Time that moves only when a test says so. Starts at 0 ms, 2026-01-01 UTC on the wall. */
export interface StepClock extends Clock {
  /** Fires what falls due within `ms`, in order, letting each firing have its consequences before the next. */
  advance(ms: number): Promise<void>;
  /** Timers not yet fired. */
  pending(): number;
  /** A clock on the same time whose wall is off by `skewMs` and whose own seconds are `rate` long. */
  twin(skewMs: number, rate?: number): Clock;
}

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** Unix nanoseconds at which every step clock starts. */
export const START_NS = Date.UTC(2026, 0, 1) * 1e6;

export function createStepClock(): StepClock {
  let nowMs = 0;
  const timers = new Set<Timer>();

  const after = (ms: number, signal?: AbortSignal): Promise<void> =>
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
    });

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
    after,
    pending: () => timers.size,
    twin: (skewMs, rate = 1) => ({
      monotonicMs: () => nowMs * rate,
      wallNs: () => START_NS + (nowMs * rate + skewMs) * 1e6,
      after: (ms, signal) => after(ms / rate, signal),
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
  };
}

/** Lets everything that is ready run: promises, and callbacks queued for the next turns of the loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
