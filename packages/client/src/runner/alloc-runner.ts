// One allocation: its tasks in their order, its status, its health, its files.
//
// 1. The status is a function of the tasks' states; terminal once every task is dead.
// 2. `report` is called after every change, with all there is to tell; the newest outweighs older ones.
// 3. What is needed to take the allocation up again is on disk before `report` is called.
import type { Clock, Logger, Random } from "@steppe/model";
import {
  AllocationUpdate,
  type AssignedAllocation,
  type Job,
  type Node,
  type Task,
  type TaskGroup,
  type TaskState,
} from "@steppe/proto";
import { AllocationChecks, type CheckResult } from "../checks/allocation-checks.ts";
import { type CheckPlan, checksOf } from "../checks/check-plan.ts";
import type { Probe } from "../checks/probe.ts";
import type { Driver } from "../drivers/driver.ts";
import type { Variables } from "../drivers/interpolate.ts";
import { AllocationDir, type AllocationSnapshot, type AllocationStore } from "./allocation-files.ts";
import { type ClientStatus, clientStatus } from "./client-status.ts";
import * as happen from "./events.ts";
import { HealthJudge } from "./health-judge.ts";
import { type KillCause, killWaves, nextStep, type TaskStanding } from "./lifecycle.ts";
import { restartRules } from "./restart.ts";
import { environmentOf, type TaskPlace, taskContext } from "./task-context.ts";
import { TaskRequests } from "./task-requests.ts";
import { TaskRunner } from "./task-runner.ts";

export interface AllocRunnerParts {
  readonly node: Node;
  readonly region: string;
  readonly allocDir: string;
  readonly hostEnv: Variables;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly probe: Probe;
  readonly store: AllocationStore;
  readonly report: (update: AllocationUpdate) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class AllocRunner {
  readonly #parts: AllocRunnerParts;
  readonly #dir: AllocationDir;
  readonly #tasks = new Map<string, TaskRunner>();
  /** For users. */
  readonly requests: TaskRequests;
  readonly #health: HealthJudge;
  readonly #checks: AllocationChecks;
  readonly #ended = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  readonly #stopAsked = Promise.withResolvers<void>();
  #assigned: AssignedAllocation;
  #job: Job;
  #group: TaskGroup;
  #checkPlans: readonly CheckPlan[];
  #stopping = false;
  #detached = false;
  #settling = false;
  #finishedMs = 0;

  /** Throws when the job has no such group. */
  constructor(assigned: AssignedAllocation, job: Job, parts: AllocRunnerParts) {
    this.#parts = { ...parts, logger: parts.logger.child({ alloc: assigned.ID }) };
    this.#assigned = assigned;
    this.#job = job;
    this.#group = groupOf(job, assigned);
    this.#dir = new AllocationDir(parts.allocDir, assigned.ID);
    this.requests = new TaskRequests({
      ...{ allocId: assigned.ID, jobId: job.ID, logsDir: this.#dir.logs, tasks: this.#tasks, clock: parts.clock },
    });
    this.#health = new HealthJudge(
      parts.clock,
      this.#closing.signal,
      () => this.#settle(),
      (task, reason) => this.#tasks.get(task)?.noteUnhealthy(reason),
    );
    this.#checks = new AllocationChecks({
      ...{ allocId: assigned.ID, allocName: assigned.Name, probe: parts.probe, clock: parts.clock },
      changed: () => this.#settle(),
      restart: (task, reason) => this.#restartFailing(task, reason),
    });
    this.#checkPlans = this.#plannedChecks();
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
    this.#health.restore(snapshot.deployment);
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
    if (isNewDeployment) this.#health.startOver();
    if (job !== this.#job) {
      this.#group = groupOf(job, assigned);
      this.#job = job;
      this.#checkPlans = this.#plannedChecks();
      this.#followChecks();
      this.#parts.store.writeJob(this.id, job);
      this.#parts.store.write(this.#snapshot());
    }
    // The new deployment waits to hear how it fares, though its tasks run on.
    if (isNewDeployment) this.#settle();
  }

  /** When it is stopped, it waits for no shutdown delay. */
  hurry(): void {
    this.#assigned = { ...this.#assigned, NoShutdownDelay: true };
  }

  /** How long its node may be cut off before it is to be stopped, milliseconds. */
  get stopAfterMs(): number {
    return (this.#group.Disconnect?.StopOnClientAfter ?? Number.POSITIVE_INFINITY) / 1e6;
  }

  /** Resolves once every task is dead. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#followChecks();
      this.#stopAsked.resolve();
      void this.#killInOrder();
    }
    await this.ended;
  }

  /** The allocation's directory. */
  get root(): string {
    return this.#dir.root;
  }

  /** What its checks answered last, by their IDs. */
  checks(): Readonly<Record<string, CheckResult>> {
    return this.#checks.results();
  }

  /** Leaves the tasks as they are. */
  detach(): void {
    this.#detached = true;
    this.#closing.abort();
    this.#checks.close();
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
    if (this.#health.verdict !== undefined) update.DeploymentStatus = this.#health.verdict;
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
    this.#followChecks();
    this.#judgeHealth();
    this.#settling = false;
    this.#tell();
  }

  #followChecks(): void {
    if (this.#checkPlans.length === 0 && this.#checks.isEmpty) return;
    this.#checks.follow(this.#checkPlans, (task) => {
      if (this.#stopping) return false;
      return task === "" ? this.clientStatus === "running" : this.#tasks.get(task)?.state.State === "running";
    });
  }

  #restartFailing(task: string, reason: string): void {
    const runners = task === "" ? this.#tasks.values() : [this.#tasks.get(task)];
    for (const runner of runners) runner?.restartFailing(reason);
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
    if (this.#stopping) return;
    const states = new Map([...this.#tasks].map(([name, task]) => [name, task.state]));
    const inDeployment = this.#assigned.DeploymentID !== "";
    const checks = this.#checks.standing();
    this.#health.judge({ job: this.#job, group: this.#group, inDeployment, states, checks });
  }

  #snapshot(): AllocationSnapshot {
    const tasks = Object.fromEntries([...this.#tasks].map(([name, task]) => [name, task.snapshot()]));
    const base = { assigned: this.#assigned, tasks };
    return this.#health.verdict === undefined ? base : { ...base, deployment: this.#health.verdict };
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
      context: (attempt) => taskContext(task(), attempt, this.#place),
      changed: () => this.#settle(),
      clock,
      random,
      logger: this.#parts.logger,
    });
  }

  get #place(): TaskPlace {
    const { node, region, hostEnv } = this.#parts;
    return { assigned: this.#assigned, job: this.#job, group: this.#group, node, region, hostEnv, dir: this.#dir };
  }

  /** A group's own services know what its first task knows. */
  #plannedChecks(): CheckPlan[] {
    return checksOf(this.#group, this.#assigned, this.#parts.node, (name) => {
      const task = this.#group.Tasks.find((it) => it.Name === name) ?? this.#group.Tasks[0];
      return task === undefined ? {} : environmentOf(task, this.#place).variables;
    });
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
