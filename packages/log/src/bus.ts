/**
 * Messages between the servers and workers of one region: at most once, no order between
 * subjects, nothing kept. What must not be lost goes through the log instead.
 *
 * Subjects are relative (`broker.dequeue`); the bus puts the region's prefix before them.
 */
export interface RegionBus {
  publish(subject: string, payload: Uint8Array): void;
  /** Rejects with `BusError`: "no-responders" at once when nobody serves the subject, else "timeout". */
  request(subject: string, payload: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** `handle` sees every message until the signal aborts. */
  subscribe(subject: string, handle: (payload: Uint8Array) => void, signal: AbortSignal): void;
  /** Answers requests until the signal aborts. A handler that rejects leaves the caller to its timeout. */
  serve(subject: string, handle: (payload: Uint8Array) => Promise<Uint8Array>, signal: AbortSignal): void;
  close(): Promise<void>;
}

export class BusError extends Error {
  readonly code: "no-responders" | "timeout" | "closed";

  constructor(code: "no-responders" | "timeout" | "closed", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BusError";
    this.code = code;
  }
}
