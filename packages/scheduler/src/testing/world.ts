import { type Random, SECOND } from "@steppe/model";
import {
  ClaimLease,
  type Command,
  type Deployment,
  Entry,
  type Evaluation,
  type Job,
  type Node,
  type Outcome,
  type Plan,
  type TaskState,
} from "@steppe/proto";
import { type AllocationView, apply, isOpen, State } from "@steppe/state";
import { VerdictCache } from "../feasible/verdict-cache.ts";
import { schedule } from "../schedule.ts";
import { seededRandom } from "./random.ts";

type Kind = NonNullable<Command["Kind"]>;

/** A region's state with no servers around it: commands apply at once, evaluations are processed when a test says so. */
export class World {
  readonly state: State = new State();
  readonly random: Random;
  readonly cache: VerdictCache = new VerdictCache();
  /** Unix nanoseconds. */
  now = 1_000_000 * SECOND;

  constructor(seed = 1) {
    this.random = seededRandom(seed);
  }

  /** Applies one command. Goes through its bytes, as the log does. */
  run(kind: Kind): Outcome {
    const entry = Entry.create({ Time: this.now, Commands: [{ IDSeed: this.random.bytes(16), Kind: kind }] });
    const { outcomes } = apply(this.state, this.state.index + 1, Entry.decode(Entry.encode(entry).finish()));
    return outcomes[0] as Outcome;
  }

  addNodes(...nodes: Node[]): void {
    for (const node of nodes) this.run({ $case: "RegisterNode", value: { Node: { ...node, ComputedClass: "" } } });
  }

  setStatus(node: string, status: string): void {
    const value = { NodeIDs: [node], Status: status, Message: "", Term: 0 };
    this.run({ $case: "UpdateNodeStatus", value });
  }

  setEligibility(node: string, eligibility: string): void {
    this.run({ $case: "UpdateNodeEligibility", value: { NodeID: node, Eligibility: eligibility } });
  }

  drain(node: string, deadline = 0, ignoreSystemJobs = false): void {
    const spec = { Deadline: deadline, IgnoreSystemJobs: ignoreSystemJobs };
    this.run({ $case: "UpdateNodeDrain", value: { NodeID: node, DrainSpec: spec, MarkEligible: false, Meta: {} } });
  }

  /** As the leader's drainer does. */
  migrate(...allocations: AllocationView[]): void {
    const value = { Term: this.#leaseTerm(), AllocIDs: allocations.map(({ ID }) => ID) };
    this.run({ $case: "MigrateAllocations", value });
  }

  /** The evaluation that came of it. */
  register(job: Job): Evaluation {
    const value = {
      ...{
        Job: job,
        EnforceIndex: false,
        JobModifyIndex: 0,
        EvalPriority: 0,
        Submission: undefined,
        CheckPlace: false,
      },
      ...{ PreserveCounts: false, PreserveResources: false },
    };
    return this.evaluation(this.run({ $case: "RegisterJob", value }).EvalID);
  }

  deregister(job: Job, purge = false): Evaluation {
    const value = { Namespace: job.Namespace, JobID: job.ID, Purge: purge, EvalPriority: 0, NoShutdownDelay: false };
    return this.evaluation(this.run({ $case: "DeregisterJob", value }).EvalID);
  }

  evaluate(job: Job, forceReschedule = false): Evaluation {
    const value = { Namespace: job.Namespace, JobID: job.ID, ForceReschedule: forceReschedule };
    return this.evaluation(this.run({ $case: "EvaluateJob", value }).EvalID);
  }

  /** `healthy` is what the node says for the deployment that the allocation is part of. */
  report(allocation: AllocationView, status: string, tasks: Record<string, TaskState> = {}, healthy?: boolean): void {
    const { ID, DeploymentID } = allocation;
    const update = { ID, ClientStatus: status, ClientDescription: "", TaskStates: tasks, NetworkStatus: undefined };
    const health = { Healthy: healthy, Timestamp: this.now, Canary: false, ModifyIndex: 0 };
    const DeploymentStatus = healthy === undefined ? undefined : health;
    const value = { Updates: [{ ...update, DeploymentStatus, DeploymentID }] };
    this.run({ $case: "UpdateAllocations", value });
  }

  /** The newest deployment of a job. */
  deployment(job: Job): Deployment {
    const entry = this.state.deployments.latest(job.Namespace, job.ID);
    if (entry === undefined) throw new Error(`job ${job.ID} has no deployment`);
    return entry.deployment;
  }

  /** One step of a rollout: all that runs turns out healthy, and the scheduler looks again. */
  heal(job: Job): Plan {
    for (const allocation of this.live(job)) this.report(allocation, "running", {}, true);
    return this.process(this.evaluate(job));
  }

  /** Goes on until the deployment has nothing left to wait for. */
  rollOut(job: Job): void {
    for (let steps = 0; this.deployment(job).Status === "running"; steps++) {
      if (steps > 100) throw new Error(`the deployment of ${job.ID} does not come to an end`);
      this.heal(job);
    }
  }

  /** As the deployment's watcher does when allocations turned unhealthy. */
  mayReplace(...allocations: AllocationView[]): void {
    const Advances = allocations.map(({ ID, DeploymentID }) => ({ DeploymentID, ReplaceAllocIDs: [ID] }));
    this.run({ $case: "AdvanceDeployments", value: { Term: this.#leaseTerm(), Advances } });
  }

  /** Of the lease that leader-only commands need; claimed when none is held. */
  #leaseTerm(): number {
    const { lease } = this.state;
    if (lease !== undefined && lease.Expires > this.now) return lease.Term;
    const claim = ClaimLease.create({ Holder: "world", TTL: 3600 * SECOND });
    return this.run({ $case: "ClaimLease", value: claim }).Term;
  }

  promote(job: Job): Outcome {
    const { ID: DeploymentID } = this.deployment(job);
    return this.run({ $case: "PromoteDeployment", value: { Term: 0, DeploymentID, All: true, Groups: [] } });
  }

  evaluation(id: string): Evaluation {
    const evaluation = this.state.evaluations.get(id);
    if (evaluation === undefined) throw new Error(`no evaluation ${id}`);
    return evaluation;
  }

  plan(evaluation: Evaluation): Plan {
    return schedule(this.state, evaluation, { now: this.now, random: this.random, cache: this.cache });
  }

  apply(plan: Plan): Outcome {
    return this.run({ $case: "ApplyPlan", value: plan });
  }

  /** Schedules until the evaluation has ended; the last plan. */
  process(evaluation: Evaluation): Plan {
    const plan = this.plan(this.evaluation(evaluation.ID));
    const { RejectedNodes, Refusal } = this.apply(plan);
    if (Refusal !== undefined || RejectedNodes.length > 0)
      throw new Error("a plan of the newest state was not taken whole");
    return plan;
  }

  /** Evaluations that a worker would get now. */
  due(): Evaluation[] {
    return [...this.state.evaluations.byId.values()].filter(
      (it) => it.Status === "pending" && it.WaitUntil <= this.now,
    );
  }

  /** Processes whatever is due, and what comes of it. */
  settle(): void {
    for (let rounds = 0; ; rounds++) {
      const [next] = this.due();
      if (next === undefined) return;
      if (rounds > 1_000) throw new Error("evaluations do not come to an end");
      this.process(next);
    }
  }

  /** As capacity that appears does. */
  unblock(): void {
    for (const evaluation of [...this.state.evaluations.byId.values()]) {
      if (evaluation.Status === "blocked" && isOpen(this.evaluation(evaluation.ID))) this.process(evaluation);
    }
  }

  allocations(job: Job): AllocationView[] {
    return [...(this.state.jobs.get(job.Namespace, job.ID)?.allocations ?? [])];
  }

  live(job: Job): AllocationView[] {
    return this.allocations(job).filter(({ terminal }) => !terminal);
  }

  /** Sorted, as `web[0]`. */
  names(job: Job): string[] {
    return this.live(job)
      .map(({ TaskGroup, NameIndex }) => `${TaskGroup}[${NameIndex}]`)
      .sort();
  }
}
