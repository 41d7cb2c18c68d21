// What a task driver promises to the task runner.

export interface TaskContext {
  readonly allocId: string;
  readonly taskName: string;
  /** Counts the starts of this task, from 0. */
  readonly attempt: number;
  /** `<alloc dir>/<alloc id>/<task>`: the working directory. */
  readonly taskDir: string;
  readonly logsDir: string;
  /** The agent's own files about the task, outside what the task is told of. */
  readonly supervisorDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** The task's `Config`, interpolated. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly logs: LogLimits;
}

export interface LogLimits {
  readonly disabled: boolean;
  readonly filesMax: number;
  readonly fileBytesMax: number;
}

export interface ExitResult {
  readonly exitCode: number;
  /** Number of the signal that ended it, 0 when none did. */
  readonly signal: number;
  /** Why, where the driver knows more than a number; empty otherwise. */
  readonly message: string;
}

/** Enough to find a task again after the agent restarted. Stored as JSON. */
export type HandleState = Readonly<Record<string, string | number>>;

export interface TaskHandle {
  readonly state: HandleState;
  /** Never rejects. */
  readonly exited: Promise<ExitResult>;
  /** Asks the task to end, and forces it after `timeoutMs`. Resolves when it has ended. */
  stop(signal: string, timeoutMs: number): Promise<void>;
  /** Sends a signal, by its name. Throws `DriverError` for one that does not exist. */
  signal(name: string): void;
  /** Process group of the task, where it has one. */
  readonly processGroup: number | undefined;
  /** Lets go of a task that goes on running without the agent. */
  detach(): void;
}

/** A command that runs beside a task, as the task does. */
export interface ExecProcess {
  /** Never rejects. */
  readonly exited: Promise<{ readonly exitCode: number }>;
  /** Called with each piece of output, and with undefined at the end of each stream. */
  output(listener: (stream: "stdout" | "stderr", data: Uint8Array | undefined) => void): void;
  write(data: Uint8Array): void;
  closeInput(): void;
  /** Of its terminal, in characters; without one nothing happens. */
  resize(rows: number, columns: number): void;
  kill(): void;
}

export interface Driver {
  readonly name: string;
  /** Throws `DriverError`. */
  start(context: TaskContext): Promise<TaskHandle>;
  /** The task of an earlier life of the agent, running or ended; undefined when nothing is known of it. */
  recover(context: TaskContext, state: HandleState): Promise<TaskHandle | undefined>;
  /** Absent where the driver cannot. Throws `DriverError`. */
  exec?(context: TaskContext, command: readonly string[], tty: boolean): ExecProcess;
}

export class DriverError extends Error {
  /** Another try may succeed, so the restart policy applies. */
  readonly recoverable: boolean;

  constructor(message: string, recoverable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = "DriverError";
    this.recoverable = recoverable;
  }
}

export function isSuccess(result: ExitResult): boolean {
  return result.exitCode === 0 && result.signal === 0 && result.message === "";
}
