// What users ask of an allocation's tasks while they are there.
import { type Clock, quote, SteppeError } from "@steppe/model";
import type { ExecProcess } from "../drivers/driver.ts";
import type { LogSource } from "../requests/logs.ts";
import { sumUsage, UsageMeter } from "../requests/usage.ts";
import type { TaskRunner } from "./task-runner.ts";

export interface TaskRequestsParts {
  readonly allocId: string;
  readonly jobId: string;
  readonly logsDir: string;
  readonly tasks: ReadonlyMap<string, TaskRunner>;
  readonly clock: Clock;
}

export class TaskRequests {
  readonly #parts: TaskRequestsParts;
  readonly #usage = new UsageMeter();

  constructor(parts: TaskRequestsParts) {
    this.#parts = parts;
  }

  /** Restarts the task of that name, or all that run; `all`: also those that have ended, which cannot. */
  async restart(task: string, all: boolean): Promise<void> {
    const runners = [...this.#parts.tasks.values()];
    if (runners.every(({ state }) => state.State === "dead")) throw new SteppeError("refused", "Task not running");
    if (task !== "" && all) throw new SteppeError("refused", "can't restart all tasks when task name is set");
    await Promise.all((task === "" ? this.#running() : [this.#task(task)]).map((runner) => runner.restart()));
  }

  /** Sends a signal to the task of that name, or to all that run. */
  signal(signal: string, task: string): void {
    const runners = task === "" ? this.#running() : [this.#task(task)];
    if (runners.length === 0) throw new SteppeError("refused", "Task not running");
    for (const runner of runners) runner.signal(signal || "SIGKILL");
  }

  exec(task: string, command: readonly string[], tty: boolean): { readonly process: ExecProcess } {
    if (command.length === 0) throw new SteppeError("invalid", "command is not present");
    return { process: this.#task(task).exec(command, tty) };
  }

  /** Runs a command that the job gives a name, in the task that it is of. */
  runAction(task: string, name: string, job: string, tty: boolean): { readonly process: ExecProcess } {
    const { allocId, jobId } = this.#parts;
    if (job !== jobId) throw new SteppeError("refused", `allocation ${allocId} is not of job ${quote(job)}`);
    const { task: owner } = this.#task(task);
    const action = owner.Actions.find((it) => it.Name === name);
    if (action === undefined) {
      throw new SteppeError("refused", `action ${quote(name)} not found in task ${quote(task)}`);
    }
    return this.exec(task, [action.Command, ...action.Args], tty);
  }

  /** Throws when there is no such task, or it has not begun. */
  logSource(task: string, stream: "stdout" | "stderr"): LogSource {
    const { tasks, logsDir } = this.#parts;
    const runner = tasks.get(task);
    if (runner === undefined) throw new SteppeError("invalid", `unknown task name ${quote(task)}`);
    if (runner.state.StartedAt === 0) {
      throw new SteppeError("not-found", `task ${quote(task)} not started yet. No logs available`);
    }
    return { logsDir, task, stream, ended: () => runner.state.State === "dead" };
  }

  stats(task: string): object {
    const { tasks, clock } = this.#parts;
    const Timestamp = clock.wallNs();
    const wanted = task === "" ? [...tasks.keys()] : [task];
    if (task !== "") this.#task(task);
    const usages = wanted.map(
      (name) => [name, this.#usage.read(name, tasks.get(name)?.processGroup, Timestamp)] as const,
    );
    return { ResourceUsage: sumUsage(usages.map(([, usage]) => usage)), Tasks: Object.fromEntries(usages), Timestamp };
  }

  #running(): TaskRunner[] {
    return [...this.#parts.tasks.values()].filter((runner) => runner.state.State === "running");
  }

  #task(name: string): TaskRunner {
    const runner = this.#parts.tasks.get(name);
    if (runner === undefined) throw new SteppeError("refused", `Could not find task runner for task: ${name}`);
    return runner;
  }
}
