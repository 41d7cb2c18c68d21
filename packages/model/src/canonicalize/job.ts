import {
  type Job,
  type Multiregion,
  MultiregionStrategy,
  type ParameterizedJobConfig,
  type PeriodicConfig,
  UpdateStrategy,
} from "@steppe/proto";
import { canonicalizeGroup } from "./group.ts";
import { fillAffinities, fillSpreads } from "./placement.ts";
import { fillUpdate, isUnsetUpdate } from "./update.ts";

/** What a server fills into fields that a job leaves open. */
export interface CanonicalDefaults {
  readonly region: string;
  /** 50 unless configured. */
  readonly priority?: number;
  /** The namespace's default pool, "default" when it names none. */
  readonly nodePool?: string;
}

/**
 * Fills in everything a job leaves open, in place, and turns older forms into today's. A second
 * pass changes nothing, and neither does sending back what a GET returned. Never fails: what
 * makes no sense is left for `validateJob`.
 */
export function canonicalizeJob(job: Job, defaults: CanonicalDefaults): void {
  job.Region ||= defaults.region;
  job.Namespace ||= "default";
  job.Name ||= job.ID;
  job.Type ||= "service";
  if (job.Priority === 0) job.Priority = defaults.priority ?? 50;
  job.NodePool ||= defaults.nodePool ?? "default";
  if (job.Multiregion !== undefined) canonicalizeMultiregion(job.Multiregion);
  const regional = (job.Multiregion?.Regions.length ?? 0) > 0;
  if (job.Datacenters.length === 0 && !regional) job.Datacenters = ["*"];
  canonicalizeUpdate(job);
  fillAffinities(job.Affinities);
  fillSpreads(job.Spreads);
  if (job.Periodic !== undefined) canonicalizePeriodic(job.Periodic);
  if (job.ParameterizedJob !== undefined) canonicalizeParameterized(job.ParameterizedJob);
  for (const group of job.TaskGroups) canonicalizeGroup(group, job);
  // Input only: they now stand in every group.
  job.Reschedule = undefined;
  job.Migrate = undefined;
}

function canonicalizeUpdate(job: Job): void {
  if (job.Update !== undefined && isUnsetUpdate(job.Update)) job.Update = undefined;
  if (job.Update === undefined && (job.Type === "service" || job.Type === "system"))
    job.Update = UpdateStrategy.create();
  if (job.Update !== undefined) fillUpdate(job.Update);
}

function canonicalizePeriodic(periodic: PeriodicConfig): void {
  periodic.Enabled ??= true;
  periodic.SpecType ??= "cron";
  periodic.TimeZone ||= "UTC";
}

function canonicalizeParameterized(config: ParameterizedJobConfig): void {
  config.Payload ||= "optional";
}

function canonicalizeMultiregion(multiregion: Multiregion): void {
  multiregion.Strategy ??= MultiregionStrategy.create();
  for (const region of multiregion.Regions) region.Count ??= 1;
}
