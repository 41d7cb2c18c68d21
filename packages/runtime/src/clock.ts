import type { Clock } from "@steppe/model";

/** The clock of the machine. Pending timers keep the process alive only while `after` is awaited with no signal. */
export function createClock(): Clock {
  return {
    monotonicMs: () => performance.now(),
    wallNs: () => Date.now() * 1e6,
    alarm: (ms, ring) => {
      const timer = setTimeout(ring, ms);
      return () => clearTimeout(timer);
    },
    afterTurn: (work) => void setImmediate(work),
    after: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const stop = () => {
          clearTimeout(timer);
          reject(signal?.reason);
        };
        const timer = setTimeout(() => {
          signal?.removeEventListener("abort", stop);
          resolve();
        }, ms);
        signal?.addEventListener("abort", stop, { once: true });
      }),
  };
}
