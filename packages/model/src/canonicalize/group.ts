import {
  DisconnectStrategy,
  EphemeralDisk,
  type Job,
  MigrateStrategy,
  type ReschedulePolicy,
  type RestartPolicy,
  type ScalingPolicy,
  type TaskGroup,
} from "@steppe/proto";
import { HOUR, MINUTE, SECOND } from "../time.ts";
import { mergeBlocks } from "./merge.ts";
import { fillAffinities, fillNetworks, fillSpreads } from "./placement.ts";
import { canonicalizeService } from "./service.ts";
import { canonicalizeTask } from "./task.ts";
import { fillUpdate, isUnsetUpdate } from "./update.ts";

const COUNT_MAX = 2 ** 31 - 1;

export function canonicalizeGroup(group: TaskGroup, job: Job): void {
  // The minimum may be any 64-bit number, the count not; what is out of range is refused later.
  group.Count ??= Math.max(-1, Math.min(group.Scaling?.Min ?? 1, COUNT_MAX));
  fillAffinities(group.Affinities);
  fillSpreads(group.Spreads);
  canonicalizeUpdate(group, job);
  group.RestartPolicy = mergeBlocks(restartDefaults(job.Type), group.RestartPolicy);
  canonicalizeReschedule(group, job);
  canonicalizeMigrate(group, job);
  canonicalizeDisconnect(group);
  group.EphemeralDisk ??= EphemeralDisk.create();
  group.EphemeralDisk.SizeMB ??= 300;
  if (group.Consul !== undefined) group.Consul.Cluster ||= "default";
  fillNetworks(group.Networks);
  for (const service of group.Services) canonicalizeService(service, job, group, undefined);
  if (group.Scaling !== undefined) canonicalizeScaling(group.Scaling, job, group);
  for (const task of group.Tasks) canonicalizeTask(task, job, group);
}

function canonicalizeUpdate(group: TaskGroup, job: Job): void {
  if (group.Update !== undefined && isUnsetUpdate(group.Update)) group.Update = undefined;
  group.Update = mergeBlocks(job.Update, group.Update);
  if (group.Update !== undefined) fillUpdate(group.Update);
}

function restartDefaults(jobType: string): RestartPolicy {
  const once = jobType === "batch" || jobType === "sysbatch";
  return {
    Attempts: once ? 3 : 2,
    Interval: once ? 24 * HOUR : 30 * MINUTE,
    Delay: 15 * SECOND,
    Mode: "fail",
    RenderTemplates: false,
  };
}

/** System and sysbatch jobs have a policy only when one is given, which validation then refuses. */
function canonicalizeReschedule(group: TaskGroup, job: Job): void {
  const given = mergeBlocks(job.Reschedule, group.ReschedulePolicy);
  const replaceable = job.Type !== "system" && job.Type !== "sysbatch";
  group.ReschedulePolicy =
    given === undefined && !replaceable ? undefined : mergeBlocks(rescheduleDefaults(job.Type), given);
}

function rescheduleDefaults(jobType: string): ReschedulePolicy {
  if (jobType === "service") {
    return {
      Attempts: 0,
      Interval: 0,
      Delay: 30 * SECOND,
      DelayFunction: "exponential",
      MaxDelay: HOUR,
      Unlimited: true,
    };
  }
  if (jobType === "batch") {
    return {
      Attempts: 1,
      Interval: 24 * HOUR,
      Delay: 5 * SECOND,
      DelayFunction: "constant",
      MaxDelay: 0,
      Unlimited: false,
    };
  }
  return { Attempts: 0, Interval: 0, Delay: 0, DelayFunction: "", MaxDelay: 0, Unlimited: false };
}

function canonicalizeMigrate(group: TaskGroup, job: Job): void {
  group.Migrate = mergeBlocks(job.Migrate, group.Migrate);
  if (group.Migrate === undefined && job.Type === "service") group.Migrate = MigrateStrategy.create();
  const migrate = group.Migrate;
  if (migrate === undefined) return;
  migrate.MaxParallel ??= 1;
  migrate.HealthCheck ??= "checks";
  migrate.MinHealthyTime ??= 10 * SECOND;
  migrate.HealthyDeadline ??= 5 * MINUTE;
}

/** The three older fields stay as given, for clients that read them; the block is what counts. */
function canonicalizeDisconnect(group: TaskGroup): void {
  const { MaxClientDisconnect, StopAfterClientDisconnect, PreventRescheduleOnLost } = group;
  if (
    group.Disconnect === undefined &&
    (MaxClientDisconnect !== undefined || StopAfterClientDisconnect !== undefined || PreventRescheduleOnLost)
  ) {
    group.Disconnect = DisconnectStrategy.create({
      LostAfter: MaxClientDisconnect,
      StopOnClientAfter: StopAfterClientDisconnect,
      Replace: !PreventRescheduleOnLost,
    });
  }
  if (group.Disconnect === undefined) return;
  group.Disconnect.Replace ??= true;
  group.Disconnect.Reconcile ??= "best_score";
}

function canonicalizeScaling(scaling: ScalingPolicy, job: Job, group: TaskGroup): void {
  scaling.Type ||= "horizontal";
  scaling.Enabled ??= true;
  scaling.Min ??= group.Count;
  scaling.Target = { Namespace: job.Namespace, Job: job.ID, Group: group.Name };
}
