/** Where any number of waiters stand until it opens once; whoever comes later waits for the next time. */
export interface SignalGate {
  open(): void;
  /** Resolves at the next `open`, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createSignalGate(): SignalGate {
  const waiting = new Set<() => void>();
  return {
    open() {
      for (const pass of waiting) pass();
    },
    wait(signal) {
      return new Promise((resolve) => {
        const pass = () => {
          waiting.delete(pass);
          signal.removeEventListener("abort", pass);
          resolve();
        };
        if (signal.aborted) return resolve();
        waiting.add(pass);
        signal.addEventListener("abort", pass, { once: true });
      });
    },
  };
}
