// One allocation: its tasks in their order, its status, its health, its files.
//
// 1. The status is a function of the tasks' states; terminal once every task is dead.
// 2. `report` is called after every change, with all there is to tell; the newest outweighs older ones.
// 3. What is needed to take the allocation up again is on disk before `report` is called.
import { type Clock, type Logger, quote, type Random, SteppeError } from "@steppe/model";
import {
  AllocationUpdate,
  AllocDeploymentStatus,
  type AssignedAllocation,
  type Job,
  type Node,
  type Task,
  type TaskGroup,
  type TaskState,
} from "@steppe/proto";
import type { Driver, ExecProcess, TaskContext } from "../drivers/driver.ts";
import { taskEnvironment } from "../drivers/environment.ts";
import { interpolateValue, type Variables } from "../drivers/interpolate.ts";
import type { LogSource } from "../requests/logs.ts";
import { sumUsage, UsageMeter } from "../requests/usage.ts";
import { AllocationDir, type AllocationSnapshot, type AllocationStore } from "./allocation-files.ts";
import { type ClientStatus, clientStatus } from "./client-status.ts";
import * as happen from "./events.ts";
import { decideHealth, healthRules } from "./health.ts";
import { type KillCause, killWaves, nextStep, type TaskStanding } from "./lifecycle.ts";
import { restartRules } from "./restart.ts";
import { TaskRunner } from "./task-runner.ts";

export interface AllocRunnerParts {
  readonly node: Node;
  readonly region: string;
  readonly allocDir: string;
  readonly hostEnv: Variables;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly store: AllocationStore;
  readonly report: (update: AllocationUpdate) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const LOG_FILES = 10;
const LOG_FILE_MB = 10;

export class AllocRunner {
  readonly #parts: AllocRunnerParts;
  readonly #dir: AllocationDir;
  readonly #tasks = new Map<string, TaskRunner>();
  readonly #usage = new UsageMeter();
  readonly #ended = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  readonly #stopAsked = Promise.withResolvers<void>();
  /** From when on its health is judged. */
  #sinceMs: number;
  #assigned: AssignedAllocation;
  #job: Job;
  #group: TaskGroup;
  #deployment: AllocDeploymentStatus | undefined;
  #stopping = false;
  #detached = false;
  #settling = false;
  #healthTimer: AbortController | undefined;
  #finishedMs = 0;

  /** Throws when the job has no such group. */
  constructor(assigned: AssignedAllocation, job: Job, parts: AllocRunnerParts) {
    this.#parts = { ...parts, logger: parts.logger.child({ alloc: assigned.ID }) };
    this.#assigned = assigned;
    this.#job = job;
    this.#group = groupOf(job, assigned);
    this.#dir = new AllocationDir(parts.allocDir, assigned.ID);
    this.#sinceMs = parts.clock.monotonicMs();
    for (const task of this.#group.Tasks) this.#tasks.set(task.Name, this.#taskRunner(task));
  }

  get id(): string {
    return this.#assigned.ID;
  }

  get job(): Job {
    return this.#job;
  }

  get assigned(): AssignedAllocation {
    return this.#assigned;
  }

  get clientStatus(): ClientStatus {
    return clientStatus(this.#states()).status;
  }

  get terminal(): boolean {
    return this.#states().every((state) => state.State === "dead");
  }

  /** Monotonic milliseconds at which it became terminal. */
  get finishedMs(): number {
    return this.#finishedMs;
  }

  /** Resolves once every task is dead. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** `after`: an allocation on this node that this one replaces, which is to end first. */
  async start(after: Promise<void> = Promise.resolve()): Promise<void> {
    this.#parts.store.writeJob(this.id, this.#job);
    this.#parts.store.write(this.#snapshot());
    await Promise.race([after, this.#stopAsked.promise]);
    if (this.#detached) return;
    this.#settling = true;
    for (const task of this.#tasks.values()) task.begin();
    this.#settling = false;
    this.#settle();
  }

  async resume(snapshot: AllocationSnapshot): Promise<void> {
    this.#deployment = snapshot.deployment;
    this.#settling = true;
    for (const [name, runner] of this.#tasks) {
      const stored = snapshot.tasks[name];
      if (stored === undefined) runner.begin();
      else await runner.resume(stored);
    }
    this.#settling = false;
    this.#settle();
  }

  /** The allocation as another version of its job wants it, with the same tasks: they run on. */
  update(assigned: AssignedAllocation, job: Job): void {
    const isNewDeployment = assigned.DeploymentID !== this.#assigned.DeploymentID;
    this.#assigned = assigned;
    if (isNewDeployment) {
      this.#deployment = undefined;
      this.#sinceMs = this.#parts.clock.monotonicMs();
    }
    if (job !== this.#job) {
      this.#group = groupOf(job, assigned);
      this.#job = job;
      this.#parts.store.writeJob(this.id, job);
      this.#parts.store.write(this.#snapshot());
    }
    // The new deployment waits to hear how it fares, though its tasks run on.
    if (isNewDeployment) this.#settle();
  }

  /** How long its node may be cut off before it is to be stopped, milliseconds. */
  get stopAfterMs(): number {
    return (this.#group.Disconnect?.StopOnClientAfter ?? Number.POSITIVE_INFINITY) / 1e6;
  }

  /** Resolves once every task is dead. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#stopAsked.resolve();
      void this.#killInOrder();
    }
    await this.ended;
  }

  /** The allocation's directory. */
  get root(): string {
    return this.#dir.root;
  }

  /** Restarts the task of that name, or all that run; `all`: also those that have ended, which cannot. */
  async restart(task: string, all: boolean): Promise<void> {
    if (this.terminal) throw new SteppeError("refused", "Task not running");
    if (task !== "" && all) throw new SteppeError("refused", "can't restart all tasks when task name is set");
    const runners = task === "" ? this.#runningTasks() : [this.#task(task)];
    await Promise.all(runners.map((runner) => runner.restart()));
  }

  /** Sends a signal to the task of that name, or to all that run. */
  signal(signal: string, task: string): void {
    const runners = task === "" ? this.#runningTasks() : [this.#task(task)];
    if (runners.length === 0) throw new SteppeError("refused", "Task not running");
    for (const runner of runners) runner.signal(signal || "SIGKILL");
  }

  exec(task: string, command: readonly string[], tty: boolean): { readonly process: ExecProcess } {
    if (command.length === 0) throw new SteppeError("invalid", "command is not present");
    return { process: this.#task(task).exec(command, tty) };
  }

  /** Throws when there is no such task, or it has not begun. */
  logSource(task: string, stream: "stdout" | "stderr"): LogSource {
    const runner = this.#tasks.get(task);
    if (runner === undefined) throw new SteppeError("invalid", `unknown task name ${quote(task)}`);
    if (runner.state.StartedAt === 0) {
      throw new SteppeError("not-found", `task ${quote(task)} not started yet. No logs available`);
    }
    return { logsDir: this.#dir.logs, task, stream, ended: () => runner.state.State === "dead" };
  }

  stats(task: string): object {
    const Timestamp = this.#parts.clock.wallNs();
    const wanted = task === "" ? [...this.#tasks.keys()] : [task];
    if (task !== "") this.#task(task);
    const usages = wanted.map(
      (name) => [name, this.#usage.read(name, this.#tasks.get(name)?.processGroup, Timestamp)] as const,
    );
    return { ResourceUsage: sumUsage(usages.map(([, usage]) => usage)), Tasks: Object.fromEntries(usages), Timestamp };
  }

  #runningTasks(): TaskRunner[] {
    return [...this.#tasks.values()].filter((runner) => runner.state.State === "running");
  }

  #task(name: string): TaskRunner {
    const runner = this.#tasks.get(name);
    if (runner === undefined) throw new SteppeError("refused", `Could not find task runner for task: ${name}`);
    return runner;
  }

  /** Leaves the tasks as they are. */
  detach(): void {
    this.#detached = true;
    this.#closing.abort();
    for (const task of this.#tasks.values()) task.detach();
  }

  removeFiles(): void {
    this.#dir.remove();
    this.#parts.store.remove(this.id);
  }

  /** What the servers are to know. */
  currentUpdate(): AllocationUpdate {
    const { status, description } = clientStatus(this.#states());
    const { DeploymentID } = this.#assigned;
    const fields = { ID: this.id, ClientStatus: status, ClientDescription: description, DeploymentID };
    const update = AllocationUpdate.create(fields);
    for (const [name, task] of this.#tasks) update.TaskStates[name] = task.state;
    if (this.#deployment !== undefined) update.DeploymentStatus = this.#deployment;
    return update;
  }

  async #killInOrder(): Promise<void> {
    const delayNs = this.#group.ShutdownDelay ?? 0;
    if (delayNs > 0 && !this.terminal && !this.#assigned.NoShutdownDelay) {
      await Promise.race([this.ended, this.#parts.clock.after(delayNs / 1e6, this.#closing.signal).catch(() => {})]);
    }
    for (const wave of killWaves(this.#standings())) {
      await Promise.all(wave.map((name) => this.#tasks.get(name)?.kill(undefined, this.#assigned.NoShutdownDelay)));
    }
  }

  #states(): TaskState[] {
    return [...this.#tasks.values()].map((task) => task.state);
  }

  #standings(): TaskStanding[] {
    return [...this.#tasks.values()].map(({ task, state, released }) => ({ task, state, released }));
  }

  /** After any change: lets go and kills what the change calls for, then tells. */
  #settle(): void {
    if (this.#settling || this.#detached) return;
    this.#settling = true;
    this.#advance();
    this.#settling = false;
    this.#judgeHealth();
    this.#tell();
  }

  #advance(): void {
    const step = nextStep(this.#standings());
    const stopping = this.#stopping;
    for (const name of step.release) {
      const runner = this.#tasks.get(name);
      // While stopping, only what runs after all others is still started.
      if (!stopping || runner?.task.Lifecycle?.Hook === "poststop") runner?.release();
    }
    if (step.kill === undefined || stopping) return;
    const because = eventOf(step.kill.cause);
    for (const name of step.kill.names) void this.#tasks.get(name)?.kill(because);
  }

  #tell(): void {
    this.#parts.store.write(this.#snapshot());
    this.#parts.report(this.currentUpdate());
    if (!this.terminal || this.#finishedMs !== 0) return;
    this.#finishedMs = this.#parts.clock.monotonicMs();
    this.#closing.abort();
    this.#ended.resolve();
  }

  #judgeHealth(): void {
    const rules = healthRules(this.#job.Type, this.#group);
    if (rules === undefined || this.#deployment?.Healthy !== undefined || this.#stopping) return;
    this.#healthTimer?.abort();
    const { clock } = this.#parts;
    const states = new Map([...this.#tasks].map(([name, task]) => [name, task.state]));
    const health = decideHealth(rules, this.#group, states, this.#sinceMs, clock.monotonicMs(), clock.wallNs());
    if (health.kind !== "wait") {
      this.#deployment = AllocDeploymentStatus.create({
        Healthy: health.kind === "healthy",
        Timestamp: clock.wallNs(),
      });
      return;
    }
    const timer = new AbortController();
    this.#healthTimer = timer;
    clock.after(health.ms, AbortSignal.any([timer.signal, this.#closing.signal])).then(
      () => this.#settle(),
      () => {
        // A task changed, or the allocation ended, first.
      },
    );
  }

  #snapshot(): AllocationSnapshot {
    const tasks = Object.fromEntries([...this.#tasks].map(([name, task]) => [name, task.snapshot()]));
    const base = { assigned: this.#assigned, tasks };
    return this.#deployment === undefined ? base : { ...base, deployment: this.#deployment };
  }

  #taskRunner(first: Task): TaskRunner {
    const { clock, random, drivers } = this.#parts;
    const task = () => this.#group.Tasks.find((other) => other.Name === first.Name) ?? first;
    return new TaskRunner({
      task,
      driver: drivers.get(first.Driver),
      rules: () => {
        const { RestartPolicy, Lifecycle } = task();
        return restartRules(this.#job.Type, this.#group.RestartPolicy, RestartPolicy, Lifecycle);
      },
      prepare: () => this.#dir.build(first.Name),
      context: (attempt) => this.#context(task(), attempt),
      changed: () => this.#settle(),
      clock,
      random,
      logger: this.#parts.logger,
    });
  }

  #context(task: Task, attempt: number): TaskContext {
    const { node, region, hostEnv } = this.#parts;
    const taskDir = this.#dir.task(task.Name);
    const { env, variables } = taskEnvironment({
      allocation: this.#assigned,
      job: this.#job,
      group: this.#group,
      task,
      node,
      region,
      sharedDir: this.#dir.shared,
      taskDir,
      hostEnv,
    });
    return {
      allocId: this.id,
      taskName: task.Name,
      attempt,
      taskDir,
      logsDir: this.#dir.logs,
      supervisorDir: this.#dir.supervisor,
      env,
      config: interpolateValue(task.Config ?? {}, variables) as Record<string, unknown>,
      logs: {
        disabled: task.LogConfig?.Disabled === true,
        filesMax: task.LogConfig?.MaxFiles ?? LOG_FILES,
        fileBytesMax: (task.LogConfig?.MaxFileSizeMB ?? LOG_FILE_MB) * 2 ** 20,
      },
    };
  }
}

function groupOf(job: Job, assigned: AssignedAllocation): TaskGroup {
  const group = job.TaskGroups.find((candidate) => candidate.Name === assigned.TaskGroup);
  if (group === undefined) throw new Error(`job ${job.ID} version ${job.Version} has no group ${assigned.TaskGroup}`);
  return group;
}

function eventOf(cause: KillCause): happen.Happening {
  switch (cause.kind) {
    case "sibling":
      return happen.siblingFailed(cause.task);
    case "leader":
      return happen.leaderDead;
    case "main-dead":
      return happen.mainTasksDead;
  }
}
