// Snapshot: the state as length-delimited records, a header first and an end record last, so that
// a file cut short is told from a whole one. Version-tagged; `decode-snapshot.ts` takes every format it knows.
import { AllocationRecord, type Job, type JobRecord, SnapshotHeader, SnapshotRecord } from "@steppe/proto";
import { MetricNumbers } from "./metric-numbers.ts";
import type { State } from "./state.ts";
import type { AllocationState } from "./tables/allocations.ts";
import type { DeploymentEntry } from "./tables/deployments.ts";
import type { JobState } from "./tables/jobs.ts";

export const SNAPSHOT_FORMAT = 1;

type RecordKind = NonNullable<SnapshotRecord["Kind"]>;

/** Records are put together to pieces of this size; a larger one is a piece of its own. */
const PIECE_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

/**
 * The records of a snapshot, each with its length before it, in pieces that end where records do. A buffer for each record
 * would have V8 collect the whole heap again and again: for each 64 MiB of them that outlive a collection of the young generation.
 */
export function* encodeSnapshot(state: State): Generator<Uint8Array> {
  let piece = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  for (const kind of allKinds(state)) {
    const body = SnapshotRecord.encode({ Kind: kind }).finishShared();
    const size = LENGTH_BYTES + body.length;
    if (filled + size > piece.length) {
      if (filled > 0) yield piece.subarray(0, filled);
      piece = new Uint8Array(Math.max(size, PIECE_BYTES));
      filled = 0;
    }
    new DataView(piece.buffer).setUint32(filled, body.length);
    piece.set(body, filled + LENGTH_BYTES);
    filled += size;
  }
  yield piece.subarray(0, filled);
}

function* allKinds(state: State): Generator<RecordKind> {
  let records = 0;
  for (const kind of snapshotKinds(state)) {
    records += 1;
    yield kind;
  }
  yield { $case: "End", value: { Records: records } };
}

function* snapshotKinds(state: State): Generator<RecordKind> {
  yield { $case: "Header", value: header(state) };
  for (const namespace of state.namespaces.changed()) yield { $case: "Namespace", value: namespace };
  for (const variable of state.variables.byKey.values()) yield { $case: "Variable", value: variable };
  for (const pool of state.nodePools.changed()) yield { $case: "NodePool", value: pool };
  for (const job of state.jobs.byKey.values()) yield { $case: "Job", value: jobRecord(job) };
  for (const owed of state.owed.byJob.values()) yield { $case: "OwedCopies", value: owed };
  for (const node of state.nodes.nodes) if (node !== undefined) yield { $case: "Node", value: node };
  for (const evaluation of state.evaluations.byId.values()) yield { $case: "Evaluation", value: evaluation };
  for (const entry of state.deployments.byId.values()) {
    const { deployment, decidedIndex } = entry;
    yield {
      $case: "Deployment",
      value: { Deployment: deployment, DecidedIndex: decidedIndex, AllocIDs: joined(entry) },
    };
  }
  for (const registration of state.services.byId.values()) yield { $case: "Service", value: registration };
  const numbers = new MetricNumbers();
  for (const allocation of state.allocations.byId.values()) {
    const { number, isNew } = numbers.of(allocation.Metrics);
    if (isNew) yield { $case: "Metric", value: { Number: number, Metrics: allocation.Metrics } };
    yield { $case: "Allocation", value: allocationRecord(allocation, number) };
  }
  for (const [id, { time, outcome }] of state.outcomes.entries()) {
    yield { $case: "Outcome", value: { RequestID: id, Time: time, Outcome: outcome } };
  }
}

function header(state: State): SnapshotHeader {
  return {
    ...SnapshotHeader.create(),
    Format: SNAPSHOT_FORMAT,
    Index: state.index,
    Time: state.time,
    Digest: state.digest.value,
    Lease: state.lease,
    SchedulerConfiguration: state.schedulerConfiguration,
    AutopilotConfiguration: state.autopilotConfiguration,
    TableIndexes: Object.fromEntries(state.indexes.last),
    DeleteIndexes: Object.fromEntries(state.indexes.deleted),
    SystemJobs: [...state.jobs.system].map(({ key }) => key),
  };
}

/**
 * The allocations of a deployment in their order, where it cannot be told from the allocations'
 * own: one that was there before the deployment joined it by an update in place.
 */
function joined({ deployment, allocations }: DeploymentEntry): string[] {
  const all = [...allocations];
  const asPlaced = all.every(({ CreateIndex }) => CreateIndex >= deployment.CreateIndex);
  return asPlaced ? [] : all.map(({ ID }) => ID);
}

/** With the versions that allocations still run, also where they are no longer tracked. */
function jobRecord(job: JobState): JobRecord {
  const versions = new Map<number, Job>();
  for (const { Job } of job.allocations) versions.set(Job.Version, Job);
  for (const version of job.versions) versions.set(version.Version, version);
  return {
    Versions: [...versions.values()].sort((a, b) => a.Version - b.Version),
    AllocationsIndex: job.allocationsIndex,
    LastLaunch: job.lastLaunch,
    Summary: job.summary,
    Submission: job.submissions.at(-1),
    TrackedVersions: job.versions.length,
    OlderSubmissions: job.submissions.slice(0, -1),
    ScalingEvents: Object.fromEntries([...job.scalingEvents].map(([group, Events]) => [group, { Events }])),
    ScalingIndex: job.scalingIndex,
    Rollout: job.rollout,
    RolloutVersion: job.rolloutVersion,
  };
}

function allocationRecord(allocation: AllocationState, metric: number): AllocationRecord {
  return {
    ...AllocationRecord.create(),
    ID: allocation.ID,
    Namespace: allocation.Namespace,
    JobID: allocation.JobID,
    JobVersion: allocation.Job.Version,
    TaskGroup: allocation.TaskGroup,
    NameIndex: allocation.NameIndex,
    NodeID: allocation.NodeID,
    EvalID: allocation.EvalID,
    DesiredStatus: allocation.DesiredStatus,
    DesiredDescription: allocation.DesiredDescription,
    ClientStatus: allocation.ClientStatus,
    ClientDescription: allocation.ClientDescription,
    TaskStates: allocation.TaskStates,
    DeploymentStatus: allocation.DeploymentStatus,
    NetworkStatus: allocation.NetworkStatus,
    PreviousAllocation: allocation.PreviousAllocation,
    NextAllocation: allocation.NextAllocation,
    FollowupEvalID: allocation.FollowupEvalID,
    RescheduleTracker: allocation.RescheduleTracker,
    ForceReschedule: allocation.ForceReschedule,
    Migrate: allocation.Migrate,
    NoShutdownDelay: allocation.NoShutdownDelay,
    UnknownSince: allocation.UnknownSince,
    Score: allocation.Score,
    Metric: metric,
    CreateIndex: allocation.CreateIndex,
    ModifyIndex: allocation.ModifyIndex,
    AllocModifyIndex: allocation.AllocModifyIndex,
    CreateTime: allocation.CreateTime,
    ModifyTime: allocation.ModifyTime,
    JobCreateIndex: allocation.Job.CreateIndex,
    DeploymentID: allocation.DeploymentID,
    Reschedule: allocation.Reschedule,
    Claims: allocation.Claims,
    PreemptedAllocations: [...allocation.PreemptedAllocations],
    PreemptedByAllocation: allocation.PreemptedByAllocation,
  };
}
