import {
  type AllocationRecord,
  type Claims,
  type Evaluation,
  type Job,
  type JobRecord,
  type ServiceRegistration,
  type SnapshotHeader,
  SnapshotRecord,
} from "@steppe/proto";
import type { TableName } from "./changes.ts";
import { SNAPSHOT_FORMAT } from "./encode-snapshot.ts";
import { State } from "./state.ts";
import { AllocationState, askOf, groupOf, type Moment, type Origin } from "./tables/allocations.ts";
import { JobState } from "./tables/jobs.ts";
import { keptMetrics } from "./tables/metrics.ts";
import { serviceKey } from "./tables/services.ts";

/** Rebuilds the state. Throws, naming what is wrong, when the bytes are no whole snapshot of a known format. */
export function decodeSnapshot(bytes: Uint8Array): State {
  const decoder = new SnapshotDecoder();
  decoder.push(bytes);
  return decoder.finish();
}

/** Rebuilds the state from a snapshot that comes in pieces, wherever they are cut. Throws as `decodeSnapshot` does. */
export class SnapshotDecoder {
  readonly #restore = new Restore();
  /** The beginning of a record whose rest is still to come. */
  #rest: Uint8Array = new Uint8Array(0);

  push(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : concat(this.#rest, piece);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let position = 0;
    while (position + 4 <= bytes.length) {
      const end = position + 4 + view.getUint32(position);
      if (end > bytes.length) break;
      this.#restore.take(SnapshotRecord.decode(bytes.subarray(position + 4, end)));
      position = end;
    }
    this.#rest = bytes.slice(position);
  }

  finish(): State {
    if (this.#rest.length > 0) throw new Error("snapshot is cut short");
    return this.#restore.finish();
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

class Restore {
  readonly #state = new State();
  readonly #metrics: Map<number, AllocationState["Metrics"]> = new Map();
  /** Every version in the snapshot, by job: also those only allocations refer to. */
  readonly #versions: Map<JobState, readonly Job[]> = new Map();
  /** By index. */
  readonly #moments: Map<number, Moment> = new Map();
  #origin: Origin | undefined = undefined;
  #systemJobs: readonly string[] = [];
  /** By deployment. */
  readonly #joined: Map<string, readonly string[]> = new Map();
  #records = 0;
  #digest = 0;
  #ended = false;
  #begun = false;

  take({ Kind: kind }: SnapshotRecord): void {
    if (!this.#begun && kind?.$case !== "Header") throw new Error("snapshot does not begin with its header");
    if (this.#ended) throw new Error("snapshot goes on behind its end");
    this.#records += 1;
    switch (kind?.$case) {
      case "Header":
        this.#header(kind.value);
        return;
      case "Job":
        this.#job(kind.value);
        return;
      case "Node":
        this.#state.nodes.put(kind.value);
        return;
      case "Evaluation":
        this.#state.parts.ofEvaluation(kind.value, this.#jobOf(kind.value));
        this.#state.evaluations.put(kind.value);
        return;
      case "Deployment":
        if (kind.value.Deployment === undefined)
          throw new Error("snapshot has a deployment record without its deployment");
        this.#state.parts.ofDeployment(kind.value.Deployment, this.#jobOf(kind.value.Deployment));
        this.#state.deployments.put(kind.value.Deployment).decidedIndex = kind.value.DecidedIndex;
        if (kind.value.AllocIDs.length > 0) this.#joined.set(kind.value.Deployment.ID, kind.value.AllocIDs);
        return;
      case "Namespace":
        this.#state.namespaces.put(kind.value);
        return;
      case "Variable":
        this.#state.variables.put(kind.value);
        return;
      case "NodePool":
        this.#state.nodePools.put(kind.value);
        return;
      case "OwedCopies":
        this.#state.owed.put(kind.value);
        return;
      case "Service":
        this.#service(kind.value);
        return;
      case "Metric":
        this.#metrics.set(kind.value.Number, keptMetrics(this.#state, kind.value.Metrics));
        return;
      case "Allocation":
        this.#allocation(kind.value);
        return;
      case "Outcome":
        if (kind.value.Outcome === undefined) throw new Error("snapshot has an outcome record without its outcome");
        this.#state.outcomes.restore(kind.value.RequestID, { time: kind.value.Time, outcome: kind.value.Outcome });
        return;
      case "End":
        if (kind.value.Records !== this.#records - 1) throw new Error("snapshot lacks records");
        this.#ended = true;
        return;
      default:
        throw new Error("snapshot has a record that this version does not know");
    }
  }

  finish(): State {
    if (!this.#ended) throw new Error("snapshot is cut short");
    this.#state.digest.reset(this.#digest);
    this.#order();
    return this.#state;
  }

  /** Puts into their order what came in another. */
  #order(): void {
    const { jobs, deployments, allocations } = this.#state;
    for (const key of this.#systemJobs) {
      const job = jobs.byKey.get(key);
      if (job === undefined || !jobs.system.delete(job)) throw new Error(`snapshot lacks the system job ${key}`);
      jobs.system.add(job);
    }
    for (const [id, allocIds] of this.#joined) {
      const entry = deployments.get(id);
      for (const allocId of allocIds) {
        const allocation = allocations.get(allocId);
        if (allocation === undefined || !entry?.delete(allocation)) {
          throw new Error(`snapshot lacks allocation ${allocId} of deployment ${id}`);
        }
        entry.add(allocation);
      }
    }
  }

  #jobOf({ Namespace, JobID }: Pick<Evaluation, "Namespace" | "JobID">): Job | undefined {
    return this.#state.jobs.get(Namespace, JobID)?.job;
  }

  #header(header: SnapshotHeader): void {
    if (header.Format !== SNAPSHOT_FORMAT) {
      throw new Error(`snapshot has format ${header.Format}; this version reads format ${SNAPSHOT_FORMAT}`);
    }
    this.#begun = true;
    this.#systemJobs = header.SystemJobs;
    this.#digest = header.Digest;
    this.#state.index = header.Index;
    this.#state.time = header.Time;
    this.#state.lease = header.Lease;
    if (header.SchedulerConfiguration !== undefined) {
      this.#state.schedulerConfiguration = header.SchedulerConfiguration;
    }
    if (header.AutopilotConfiguration !== undefined) {
      this.#state.autopilotConfiguration = header.AutopilotConfiguration;
    }
    for (const [table, index] of Object.entries(header.TableIndexes)) {
      this.#state.indexes.last.set(table as TableName, index);
    }
    for (const [table, index] of Object.entries(header.DeleteIndexes)) {
      this.#state.indexes.deleted.set(table as TableName, index);
    }
  }

  #job(record: JobRecord): void {
    for (const version of record.Versions) this.#state.parts.ofJob(version);
    const tracked = record.Versions.slice(-record.TrackedVersions);
    const [oldest] = tracked;
    if (oldest === undefined || record.Summary === undefined)
      throw new Error("snapshot has a job without versions or summary");
    const job = new JobState(oldest, record.Summary);
    for (const version of tracked.slice(1)) job.push(version);
    job.allocationsIndex = record.AllocationsIndex;
    job.lastLaunch = record.LastLaunch;
    for (const submission of record.OlderSubmissions) job.submit(submission);
    if (record.Submission !== undefined) job.submit(record.Submission);
    for (const [group, { Events }] of Object.entries(record.ScalingEvents)) job.restoreScalingEvents(group, Events);
    job.scalingIndex = record.ScalingIndex;
    job.rollout = record.Rollout;
    job.rolloutVersion = record.RolloutVersion;
    this.#versions.set(job, record.Versions);
    this.#state.jobs.add(job);
  }

  /** When others of the service were last taken back is not kept; it was no later than any service was. */
  #service(registration: ServiceRegistration): void {
    const { services, indexes } = this.#state;
    services.put(registration);
    const key = serviceKey(registration.Namespace, registration.ServiceName);
    services.changedAt.set(key, Math.max(services.changedAt.get(key) ?? 0, indexes.deletedAt("services")));
  }

  /** Millions of claims name the few addresses that their nodes have. */
  #withOwnAddresses(claims: Claims, nodeId: string): Claims {
    const { nodes } = this.#state;
    const addresses = nodes.networks[nodes.slot(nodeId)]?.addresses ?? [];
    return { ...claims, HostIPs: claims.HostIPs.map((ip) => addresses.find((it) => it === ip) ?? ip) };
  }

  #allocation(record: AllocationRecord): void {
    const job = this.#state.jobs.get(record.Namespace, record.JobID);
    const version = job && this.#versions.get(job)?.find(({ Version }) => Version === record.JobVersion);
    const group = version && groupOf(version, record.TaskGroup);
    if (job === undefined || version === undefined || group === undefined) {
      throw new Error(`snapshot has allocation ${record.ID} of a job version that it lacks`);
    }
    const nodeId = this.#state.nodes.get(record.NodeID)?.ID ?? record.NodeID;
    const origin = this.#originOf(record);
    const allocation = new AllocationState(record.ID, version, askOf(group), record.NameIndex, nodeId, origin);
    allocation.claim(record.Claims && this.#withOwnAddresses(record.Claims, nodeId));
    const { texts, taskForms } = this.#state;
    allocation.DesiredStatus = texts.of(record.DesiredStatus);
    allocation.ClientStatus = texts.of(record.ClientStatus);
    allocation.ClientDescription = texts.of(record.ClientDescription);
    allocation.report(taskForms.pack(record.TaskStates));
    const { DeploymentStatus: status } = record;
    if (status !== undefined) allocation.fare(this.#state.healths.of(status), status.Timestamp);
    allocation.amend({
      DesiredDescription: texts.of(record.DesiredDescription),
      NetworkStatus: record.NetworkStatus,
      PreviousAllocation: record.PreviousAllocation,
      NextAllocation: record.NextAllocation,
      FollowupEvalID: record.FollowupEvalID,
      RescheduleTracker: record.RescheduleTracker,
      ForceReschedule: record.ForceReschedule,
      Migrate: record.Migrate,
      UnknownSince: record.UnknownSince,
      Reschedule: record.Reschedule,
      PreemptedByAllocation: record.PreemptedByAllocation,
    });
    if (record.PreemptedAllocations.length > 0) {
      allocation.amend({ PreemptedAllocations: record.PreemptedAllocations });
    }
    // The table's own text, one for all allocations of the deployment.
    const deployment = this.#state.deployments.get(record.DeploymentID)?.deployment;
    allocation.DeploymentID = deployment?.ID ?? record.DeploymentID;
    allocation.Score = record.Score;
    allocation.modifiedAt(this.#momentOf(record.ModifyIndex, record.ModifyTime));
    allocation.AllocModifyIndex = record.AllocModifyIndex;
    this.#state.restoreAllocation(job, allocation);
  }

  /** One for neighbours that were placed together. */
  #originOf({ TaskGroup, EvalID, Metric, CreateIndex, CreateTime }: AllocationRecord): Origin {
    const last = this.#origin;
    const Metrics = this.#metrics.get(Metric);
    const isSame =
      last?.EvalID === EvalID &&
      last.TaskGroup === TaskGroup &&
      last.Metrics === Metrics &&
      last.moment.index === CreateIndex;
    if (isSame) return last;
    const { texts, evaluations } = this.#state;
    const origin: Origin = {
      TaskGroup: texts.of(TaskGroup),
      EvalID: evaluations.get(EvalID)?.ID ?? EvalID,
      Metrics,
      moment: this.#momentOf(CreateIndex, CreateTime),
    };
    this.#origin = origin;
    return origin;
  }

  #momentOf(index: number, time: number): Moment {
    const known = this.#moments.get(index);
    if (known?.time === time) return known;
    const moment = { index, time };
    this.#moments.set(index, moment);
    return moment;
  }
}
