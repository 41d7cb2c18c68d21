/**
 * Rejects, with the signal's reason unless told what of it, where the signal aborts before the value is there; what was begun
 * for it goes on.
 */
export function orAborted<T>(
  value: Promise<T>,
  signal: AbortSignal,
  told: (reason: unknown) => unknown = (reason) => reason,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(told(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    value.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
