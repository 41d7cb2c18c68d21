// One task of an allocation, from received to dead.
//
//   waiting ─release─▶ starting ─▶ running ─▶ (restart policy) ─▶ pausing ─▶ starting …
//      │                  │           │                             │
//      └──────kill────────┴───kill──▶ killing ─────────────────────▶ dead
//
// 1. Once dead, a task stays dead.
// 2. A kill before the task runs makes it dead without it ever starting.
// 3. `changed` is called after every change of what `snapshot` gives, in the same turn.
// 4. A task that was killed has not failed.
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import { type Task, TaskState } from "@steppe/proto";
import {
  type Driver,
  DriverError,
  type ExecProcess,
  type ExitResult,
  type HandleState,
  isSuccess,
  type TaskContext,
  type TaskHandle,
} from "../drivers/driver.ts";
import * as happen from "./events.ts";
import { decideRestart, type RestartHistory, type RestartRules, type TaskEnd } from "./restart.ts";

export interface TaskRunnerParts {
  /** As the job wants it now: kill signal and timeouts may change while it runs. */
  readonly task: () => Task;
  readonly driver: Driver | undefined;
  readonly rules: () => RestartRules;
  /** Makes the task's directories. Throws when they cannot be made. */
  readonly prepare: () => void;
  readonly context: (attempt: number) => TaskContext;
  readonly changed: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What is kept on disk of a task. */
export interface TaskSnapshot {
  readonly state: TaskState;
  readonly history: RestartHistory;
  readonly attempt: number;
  readonly handle?: HandleState;
}

type Phase =
  | { readonly kind: "waiting" }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly handle: TaskHandle }
  | { readonly kind: "pausing" }
  | { readonly kind: "killing"; readonly handle: TaskHandle }
  | { readonly kind: "dead" };

interface KillRequest {
  readonly because: happen.Happening | undefined;
  readonly noShutdownDelay: boolean;
}

/** A task whose job sets none. */
const KILL_TIMEOUT_NS = 5e9;

export class TaskRunner {
  readonly #parts: TaskRunnerParts;
  readonly #released = Promise.withResolvers<void>();
  readonly #killed = new AbortController();
  readonly #dead = Promise.withResolvers<void>();
  #phase: Phase = { kind: "waiting" };
  #state: TaskState = TaskState.create({ State: "pending" });
  #history: RestartHistory;
  #attempt = 0;
  #kill: KillRequest | undefined;
  #detached = false;
  /** It ends because a user wants it started again, or because its checks fail. */
  #restartAsked: "user" | "failing" | undefined;

  constructor(parts: TaskRunnerParts) {
    this.#parts = parts;
    this.#history = { count: 0, intervalStartNs: parts.clock.wallNs() };
  }

  get task(): Task {
    return this.#parts.task();
  }

  get state(): TaskState {
    return this.#state;
  }

  get released(): boolean {
    return this.#phase.kind !== "waiting";
  }

  /** Resolves once dead. */
  get dead(): Promise<void> {
    return this.#dead.promise;
  }

  snapshot(): TaskSnapshot {
    const base = { state: this.#state, history: this.#history, attempt: this.#attempt };
    const phase = this.#phase;
    return phase.kind === "running" || phase.kind === "killing" ? { ...base, handle: phase.handle.state } : base;
  }

  /** A new task: waits to be released. */
  begin(): void {
    this.#note(happen.received);
    void this.#guard(this.#fromTheStart());
  }

  /** Takes up what an earlier life of the agent left. */
  async resume(snapshot: TaskSnapshot): Promise<void> {
    this.#state = snapshot.state;
    this.#history = snapshot.history;
    this.#attempt = snapshot.attempt;
    if (snapshot.state.State === "dead") return this.#die(snapshot.state.Failed);
    const handle =
      snapshot.handle === undefined
        ? undefined
        : await this.#parts.driver?.recover(this.#parts.context(this.#attempt - 1), snapshot.handle);
    if (handle !== undefined) {
      this.#become({ kind: "running", handle });
      void this.#guard(this.#onward(handle));
      return;
    }
    if (snapshot.handle !== undefined) {
      this.#note(happen.driverMessage("Task was no longer there when the node agent came back"));
      this.#state = { ...this.#state, State: "pending" };
    }
    void this.#guard(this.#fromTheStart());
  }

  /** Lets a waiting task start. */
  release(): void {
    if (this.#phase.kind !== "waiting") return;
    this.#become({ kind: "starting" });
    this.#released.resolve();
  }

  /** Resolves when dead. Only the first call's reason is told. */
  async kill(because?: happen.Happening, noShutdownDelay = false): Promise<void> {
    if (this.#phase.kind !== "dead" && this.#kill === undefined) {
      this.#kill = { because, noShutdownDelay };
      this.#killed.abort();
      this.#released.resolve();
    }
    await this.dead;
  }

  /** Ends the task and starts it again, whatever its restart policy says. */
  async restart(): Promise<void> {
    const handle = this.#running();
    this.#restartAsked = "user";
    this.#note(happen.restartAsked("User requested task to restart"));
    await this.#end(handle);
  }

  /** Ends a running task as if it had failed by itself: its restart policy says what comes then. */
  restartFailing(reason: string): void {
    if (this.#phase.kind !== "running" || this.#restartAsked !== undefined) return;
    this.#restartAsked = "failing";
    this.#note(happen.restartAsked(reason));
    void this.#guard(this.#end(this.#phase.handle));
  }

  /** Tells why a rollout counts its allocation as unhealthy. */
  noteUnhealthy(reason: string): void {
    this.#note(happen.allocationUnhealthy(reason));
  }

  async #end(handle: TaskHandle): Promise<void> {
    await handle.stop(this.task.KillSignal, (this.task.KillTimeout ?? KILL_TIMEOUT_NS) / 1e6);
  }

  signal(name: string): void {
    const handle = this.#running();
    this.#note(happen.signaling(name));
    handle.signal(name);
  }

  /** A command beside the task. */
  exec(command: readonly string[], tty: boolean): ExecProcess {
    this.#running();
    const { driver, context } = this.#parts;
    if (driver?.exec === undefined) throw new SteppeError("refused", "task driver does not support exec");
    return driver.exec(context(Math.max(0, this.#attempt - 1)), command, tty);
  }

  get processGroup(): number | undefined {
    return this.#phase.kind === "running" ? this.#phase.handle.processGroup : undefined;
  }

  #running(): TaskHandle {
    if (this.#phase.kind !== "running") throw new SteppeError("refused", "Task not running");
    return this.#phase.handle;
  }

  /** Forgets the task and leaves it as it is. */
  detach(): void {
    this.#detached = true;
    if (this.#phase.kind === "running" || this.#phase.kind === "killing") this.#phase.handle.detach();
    this.#killed.abort();
  }

  async #guard(life: Promise<void>): Promise<void> {
    try {
      await life;
    } catch (error) {
      this.#parts.logger.error({ err: error, task: this.task.Name }, "task runner failed");
      this.#note(happen.setupFailure(String(error)));
      this.#die(true);
    }
  }

  async #fromTheStart(): Promise<void> {
    await this.#released.promise;
    if (this.#detached) return;
    if (this.#kill !== undefined) return this.#dieKilled();
    this.#note(happen.setUp);
    try {
      this.#parts.prepare();
    } catch (error) {
      this.#note(happen.setupFailure(`failed to build task directory: ${(error as Error).message}`));
      return this.#die(true);
    }
    await this.#onward(await this.#start());
  }

  /** From a start that was made, or failed, until dead. */
  async #onward(first: TaskHandle | TaskEnd): Promise<void> {
    let current = first;
    for (;;) {
      const end = "exited" in current ? await this.#untilEnd(current) : current;
      if (this.#detached) return;
      if (end === "killed" || this.#kill !== undefined) return this.#dieKilled();
      const delayMs = this.#restartAsked === "user" ? this.#startAgain() : this.#decide(this.#judged(end));
      this.#restartAsked = undefined;
      if (delayMs === undefined) return;
      await this.#pause(delayMs);
      if (this.#detached) return;
      if (this.#kill !== undefined) return this.#dieKilled();
      this.#become({ kind: "starting" });
      current = await this.#start();
    }
  }

  async #start(): Promise<TaskHandle | TaskEnd> {
    const { driver, context, clock } = this.#parts;
    const task = this.task;
    try {
      if (driver === undefined) throw new DriverError(`driver ${JSON.stringify(task.Driver)} not found`, false);
      const handle = await driver.start(context(this.#attempt));
      this.#attempt += 1;
      this.#become({ kind: "running", handle });
      this.#state = { ...this.#state, State: "running", StartedAt: clock.wallNs() };
      this.#note(happen.started);
      if (task.User !== "")
        this.#note(
          happen.driverMessage(`User ${JSON.stringify(task.User)} is not acted on: the task runs as the agent's user`),
        );
      return handle;
    } catch (error) {
      this.#note(happen.driverFailure(error instanceof Error ? error.message : String(error)));
      return { kind: "start-error", recoverable: error instanceof DriverError && error.recoverable };
    }
  }

  async #untilEnd(handle: TaskHandle): Promise<TaskEnd | "killed"> {
    const aborted = new Promise<undefined>((resolve) => {
      if (this.#killed.signal.aborted) resolve(undefined);
      this.#killed.signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const result = await Promise.race([handle.exited, aborted]);
    if (result !== undefined) {
      this.#note(happen.terminated(result));
      return { kind: "exit", successful: isSuccess(result) };
    }
    if (this.#detached) return "killed";
    this.#note(happen.terminated(await this.#stop(handle)));
    return "killed";
  }

  async #stop(handle: TaskHandle): Promise<ExitResult> {
    const { clock } = this.#parts;
    const task = this.task;
    const request = this.#kill;
    this.#become({ kind: "killing", handle });
    if (request?.because !== undefined) this.#note(request.because);
    if (task.ShutdownDelay > 0 && request?.noShutdownDelay !== true) {
      this.#note(happen.waitingForShutdownDelay(task.ShutdownDelay));
      await Promise.race([handle.exited, clock.after(task.ShutdownDelay / 1e6)]);
    }
    const timeoutMs = (task.KillTimeout ?? KILL_TIMEOUT_NS) / 1e6;
    this.#note(happen.killing(timeoutMs));
    await handle.stop(task.KillSignal, timeoutMs);
    return handle.exited;
  }

  /** A task that was ended because its checks failed has failed, however it took that. */
  #judged(end: TaskEnd): TaskEnd {
    return this.#restartAsked === "failing" ? { kind: "exit", successful: false } : end;
  }

  /** At once, and it is no failure. */
  #startAgain(): number {
    this.#becomePausing();
    this.#note(happen.restarting("", 0));
    return 0;
  }

  #becomePausing(): void {
    this.#become({ kind: "pausing" });
    const Restarts = this.#state.Restarts + 1;
    this.#state = { ...this.#state, State: "pending", Restarts, LastRestart: this.#parts.clock.wallNs() };
  }

  /** The delay before the next start, or undefined when the task is dead. */
  #decide(end: TaskEnd): number | undefined {
    const { clock, random, rules } = this.#parts;
    const { decision, history } = decideRestart(rules(), this.#history, end, clock.wallNs(), random.fraction());
    this.#history = history;
    switch (decision.kind) {
      case "complete":
        this.#die(false);
        return undefined;
      case "fail":
        this.#note(happen.notRestarting(decision.reason));
        this.#die(true);
        return undefined;
      case "restart":
        this.#becomePausing();
        this.#note(happen.restarting(decision.reason, decision.delayMs));
        return decision.delayMs;
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await this.#parts.clock.after(delayMs, this.#killed.signal).catch(() => {
      // Killed meanwhile; the caller looks.
    });
  }

  #dieKilled(): void {
    // A task that never ran is told why all the same.
    if (this.#phase.kind !== "killing" && this.#kill?.because !== undefined) this.#note(this.#kill.because);
    this.#note(happen.killed);
    this.#die(false);
  }

  #die(failed: boolean): void {
    const finished = this.#state.FinishedAt === 0 ? this.#parts.clock.wallNs() : this.#state.FinishedAt;
    this.#state = { ...this.#state, State: "dead", Failed: failed, FinishedAt: finished };
    this.#become({ kind: "dead" });
    this.#dead.resolve();
    this.#parts.changed();
  }

  #become(phase: Phase): void {
    if (this.#phase.kind === "dead" && phase.kind !== "dead")
      throw new Error(`task is dead, cannot become ${phase.kind}`);
    this.#phase = phase;
  }

  #note(happening: happen.Happening): void {
    const events = [...this.#state.Events, happening(this.#parts.clock.wallNs())].slice(-happen.EVENTS_MAX);
    this.#state = { ...this.#state, Events: events };
    this.#parts.changed();
  }
}
