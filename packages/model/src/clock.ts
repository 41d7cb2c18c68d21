/** Time as the loops see it: real in processes, stepped in tests and in the simulator. */
export interface Clock {
  /** Milliseconds since some fixed point; never goes back. For durations and deadlines. */
  monotonicMs(): number;
  /** Unix nanoseconds; may jump. For stamps only. */
  wallNs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  after(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Calls `ring` after `ms` unless the returned function was called first: what thousands wait by takes no promise and
   * no signal each. Absent where time is stepped.
   */
  alarm?(ms: number, ring: () => void): () => void;
  /**
   * Runs `work` when the event loop has taken in what is there by now, without waiting for more. Absent where
   * time is stepped: then nothing else is there.
   */
  afterTurn?(work: () => void): void;
}

/** Where ids, seeds and jitter come from. */
export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
  /** A fresh id, 8-4-4-4-12 hexadecimal digits. */
  id(): string;
  /** Uniform in [0, 1). */
  fraction(): number;
}

/** The part of pino that loops use. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

const nothing = () => undefined;

/** Says nothing. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};
