import {
  type AllocMetric,
  type Deployment,
  type DeploymentStatusUpdate,
  DesiredUpdates,
  type Evaluation,
  FollowUps,
  InPlaceUpdates,
  type Job,
  Plan,
  PlanAnnotations,
  PlanResult,
  Stops,
  type TaskGroup,
} from "@steppe/proto";
import type { AllocationView, StateView } from "@steppe/state";
import type { SchedulerContext } from "../context.ts";
import type { Verdicts } from "../feasible/verdicts.ts";
import type { Scratch } from "../scratch.ts";
import { blockedEvaluation } from "./evaluations.ts";
import { Rows } from "./rows.ts";
import type { StopReason } from "./stop-reasons.ts";

/** A group of which not all could be placed. */
interface Shortfall {
  readonly metric: AllocMetric;
  readonly verdicts: Verdicts;
}

/** A plan as it grows. `finish` turns it into the message, ids and closing of the evaluation included. */
export class Draft {
  /** Live allocations that the plan stops, for what they free. */
  readonly stopped: AllocationView[] = [];
  readonly #view: StateView;
  readonly #evaluation: Evaluation;
  readonly #context: SchedulerContext;
  readonly #job: Job | undefined;
  readonly #scratch: Scratch;
  readonly #stops: Map<StopReason, string[]> = new Map();
  readonly #inPlace: Map<string, string[]> = new Map();
  readonly #disconnects: string[] = [];
  readonly #reconnects: string[] = [];
  readonly #rows: Rows[] = [];
  readonly #followUps: FollowUps[] = [];
  readonly #evaluations: Evaluation[] = [];
  readonly #queued: Record<string, number> = {};
  readonly #shortfalls: Map<string, Shortfall> = new Map();
  readonly #desired: Record<string, DesiredUpdates> = {};
  readonly #deploymentUpdates: DeploymentStatusUpdate[] = [];
  #deployment: Deployment | undefined = undefined;
  #deploymentId = "";

  constructor(
    view: StateView,
    evaluation: Evaluation,
    job: Job | undefined,
    context: SchedulerContext,
    scratch: Scratch,
  ) {
    this.#scratch = scratch;
    this.#view = view;
    this.#evaluation = evaluation;
    this.#job = job;
    this.#context = context;
    for (const group of job?.TaskGroups ?? []) this.#queued[group.Name] = 0;
  }

  stop(allocation: AllocationView, reason: StopReason): void {
    if (!allocation.terminal) this.stopped.push(allocation);
    append(this.#stops, reason, allocation.ID);
  }

  updateInPlace(allocation: AllocationView): void {
    append(this.#inPlace, allocation.TaskGroup, allocation.ID);
  }

  /** Its node is disconnected: it is unknown, and holds what it has there. */
  disconnect(allocation: AllocationView): void {
    this.#disconnects.push(allocation.ID);
  }

  /** It was unknown, and runs on. */
  reconnect(allocation: AllocationView): void {
    this.#reconnects.push(allocation.ID);
  }

  /** A deployment that all placements and in-place updates of this plan become part of. */
  begin(deployment: Deployment): void {
    this.#deployment = deployment;
    this.#deploymentId = deployment.ID;
  }

  /** The same for a deployment that is there. */
  partOf(deploymentId: string): void {
    this.#deploymentId = deploymentId;
  }

  updateDeployment(update: DeploymentStatusUpdate): void {
    this.#deploymentUpdates.push(update);
  }

  /** What a dry run is to show for the group. */
  annotate(group: string, desired: DesiredUpdates): void {
    this.#desired[group] = desired;
  }

  /** The same, to be counted up. */
  updatesOf(group: string): DesiredUpdates {
    this.#desired[group] ??= DesiredUpdates.create();
    return this.#desired[group];
  }

  /** `version`: what the rows run, when it is not the job as it is. */
  rows(group: TaskGroup, version?: Job): Rows {
    const rows = new Rows(group, this.#view.nodes, this.#scratch, version?.Version);
    this.#rows.push(rows);
    return rows;
  }

  /** So many allocations of the group wait for a place. */
  fallShort(group: string, waiting: number, metric: AllocMetric, verdicts: Verdicts): void {
    metric.CoalescedFailures = waiting - 1;
    this.#queued[group] = (this.#queued[group] ?? 0) + waiting;
    this.#shortfalls.set(group, { metric, verdicts });
  }

  /** The evaluation that replaces these failed allocations when its time comes. */
  followUp(evaluation: Evaluation, allocations: readonly AllocationView[]): void {
    this.#evaluations.push(evaluation);
    this.#followUps.push(FollowUps.create({ EvalID: evaluation.ID, AllocIDs: allocations.map(({ ID }) => ID) }));
  }

  finish(): Plan {
    const Result = this.#close();
    // Not through Plan.create, which would copy the columns.
    return {
      ...Plan.create(),
      EvalID: this.#evaluation.ID,
      Namespace: this.#evaluation.Namespace,
      JobID: this.#evaluation.JobID,
      JobVersion: this.#job?.Version ?? 0,
      JobCreateIndex: this.#job?.CreateIndex ?? 0,
      JobModifyIndex: this.#job?.JobModifyIndex ?? 0,
      SnapshotIndex: this.#view.index,
      AllAtOnce: this.#job?.AllAtOnce ?? false,
      ...this.#changes(),
      Disconnects: this.#disconnects,
      Reconnects: this.#reconnects,
      Deployment: this.#deployment,
      DeploymentID: this.#deploymentId,
      DeploymentUpdates: this.#deploymentUpdates,
      Evaluations: this.#evaluations,
      Result,
    };
  }

  #changes(): Pick<Plan, "Stops" | "InPlaceUpdates" | "Placements" | "FollowUps"> {
    return {
      Stops: [...this.#stops].map(([reason, AllocIDs]) =>
        Stops.create({
          AllocIDs,
          DesiredStatus: "stop",
          DesiredDescription: reason.description,
          ClientStatus: reason.clientStatus,
        }),
      ),
      InPlaceUpdates: [...this.#inPlace].map(([TaskGroup, AllocIDs]) => InPlaceUpdates.create({ TaskGroup, AllocIDs })),
      Placements: this.#rows.filter(({ length }) => length > 0).map((rows) => rows.finish(this.#context.random)),
      FollowUps: this.#followUps,
    };
  }

  /** How the evaluation ends. What found no place goes on in a blocked one, which stays the same until it finds one. */
  #close(): PlanResult {
    for (const rows of this.#rows) {
      if (rows.evictions > 0) this.updatesOf(rows.group).Preemptions += rows.evictions;
    }
    // Not given to PlanResult.create, which would copy the metrics.
    const result: PlanResult = {
      ...PlanResult.create(),
      Status: "complete",
      DeploymentID: this.#deploymentId,
      ...(this.#evaluation.AnnotatePlan && {
        Annotations: PlanAnnotations.create({ DesiredTGUpdates: this.#desired }),
      }),
      QueuedAllocations: this.#queued,
      FailedTGAllocs: Object.fromEntries([...this.#shortfalls].map(([group, { metric }]) => [group, metric])),
    };
    if (this.#shortfalls.size === 0) return result;
    const wakeUp = this.#wakeUp();
    if (this.#evaluation.Status === "blocked") {
      return { ...result, ...wakeUp, Status: "blocked", StatusDescription: this.#evaluation.StatusDescription };
    }
    const { FailedTGAllocs } = result;
    const fields = { ...wakeUp, FailedTGAllocs, SnapshotIndex: this.#view.index };
    const blocked = blockedEvaluation(this.#evaluation, this.#job, this.#context.random.id(), fields);
    this.#evaluations.push(blocked);
    return { ...result, BlockedEval: blocked.ID };
  }

  /** Nodes of which classes may take what is left: of those that suit any group that fell short. */
  #wakeUp(): Pick<Evaluation, "ClassEligibility" | "EscapedComputedClass"> {
    const ClassEligibility: Record<string, boolean> = {};
    let EscapedComputedClass = false;
    for (const { verdicts } of this.#shortfalls.values()) {
      EscapedComputedClass ||= verdicts.escapesClass;
      for (const [name, eligible] of Object.entries(verdicts.classEligibility(this.#view.nodes))) {
        ClassEligibility[name] = eligible || (ClassEligibility[name] ?? false);
      }
    }
    return { ClassEligibility, EscapedComputedClass };
  }
}

function append<K>(lists: Map<K, string[]>, key: K, id: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [id]);
  else list.push(id);
}
