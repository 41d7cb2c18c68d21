import type { Job, Multiregion, TaskGroup } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { isParameterized } from "../periodic.ts";
import { JOB_TYPES } from "../status.ts";
import { validateAffinities, validateConstraints, validateSpreads } from "./constraint.ts";
import { validateGroup } from "./group.ts";
import type { ValidationLimits } from "./limits.ts";
import { validateParameterized, validatePeriodic } from "./periodic.ts";

const DESCRIPTION_MAX = 1000;

/**
 * Every reason to refuse a canonical job, in the API's words; empty when it may run. The reply to a
 * client is `multiError` of them.
 */
export function validateJob(job: Job, limits: ValidationLimits): string[] {
  return [
    ...identity(job),
    ...typeOf(job),
    ...datacenters(job),
    ...(job.TaskGroups.length === 0 ? ["Missing job task groups"] : []),
    ...validateConstraints(job.Constraints),
    ...validateAffinities(job.Affinities, job.Type),
    ...validateSpreads(job.Spreads, job.Type),
    ...groupList(job),
    ...job.TaskGroups.flatMap((group) =>
      nested(`Task group ${group.Name} validation failed: `, validateGroup(group, job)),
    ),
    ...launch(job, limits),
    ...descriptions(job),
    ...multiregion(job.Multiregion),
    ...registration(job, limits),
  ];
}

function identity(job: Job): string[] {
  const errors: string[] = [];
  if (job.Region === "" && job.Multiregion === undefined) errors.push("Missing job region");
  if (job.ID === "") errors.push("Missing job ID");
  else if (job.ID.includes(" ")) errors.push("Job ID contains a space");
  else if (job.ID.includes("\0")) errors.push("Job ID contains a null character");
  if (job.Name === "") errors.push("Missing job name");
  else if (job.Name.includes("\0")) errors.push("Job Name contains a null character");
  if (job.Namespace === "") errors.push("Job must be in a namespace");
  return errors;
}

/** "_core" is a known type, but not one that users may have: `registration` refuses it. */
function typeOf(job: Job): string[] {
  if (job.Type === "") return ["Missing job type"];
  const known: readonly string[] = [...JOB_TYPES, "_core"];
  return known.includes(job.Type) ? [] : [`Invalid job type: ${quote(job.Type)}`];
}

function datacenters(job: Job): string[] {
  const regional = (job.Multiregion?.Regions.length ?? 0) > 0;
  if (job.Datacenters.length === 0) return regional ? [] : ["Missing job datacenters"];
  return job.Datacenters.filter((name) => name === "").map(() => "Job datacenter must be non-empty string");
}

function groupList(job: Job): string[] {
  const errors: string[] = [];
  const seen = new Map<string, number>();
  job.TaskGroups.forEach((group, i) => {
    const earlier = seen.get(group.Name);
    if (group.Name === "") errors.push(`Job task group ${i + 1} missing name`);
    else if (earlier !== undefined)
      errors.push(`Job task group ${i + 1} redefines '${group.Name}' from group ${earlier}`);
    else seen.set(group.Name, i + 1);
    if ((group.ShutdownDelay ?? 0) < 0) errors.push("ShutdownDelay must be a positive value");
    errors.push(...systemCount(group, job));
  });
  return errors;
}

function systemCount(group: TaskGroup, job: Job): string[] {
  const count = group.Count ?? 0;
  if (job.Type !== "system" || count <= 1) return [];
  return [`Job task group ${group.Name} has count ${count}. Count cannot exceed 1 with system scheduler`];
}

function launch(job: Job, limits: ValidationLimits): string[] {
  const once = job.Type === "batch" || job.Type === "sysbatch";
  const errors: string[] = [];
  if (job.Periodic?.Enabled === true) {
    if (!once) errors.push('Periodic can only be used with "batch" or "sysbatch" scheduler');
    errors.push(...nested("", validatePeriodic(job.Periodic, limits)));
  }
  if (isParameterized(job) && job.ParameterizedJob !== undefined) {
    if (!once) errors.push('Parameterized job can only be used with "batch" or "sysbatch" scheduler');
    errors.push(...nested("", validateParameterized(job.ParameterizedJob)));
  }
  return errors;
}

function descriptions(job: Job): string[] {
  const errors: string[] = [];
  const ui = job.UI?.Description.length ?? 0;
  if (ui > DESCRIPTION_MAX) errors.push(`UI description must be under ${DESCRIPTION_MAX} characters, currently ${ui}`);
  const tag = job.VersionTag?.Description.length ?? 0;
  if (tag > DESCRIPTION_MAX) {
    errors.push(`Tagged version description must be under ${DESCRIPTION_MAX} characters, currently ${tag}`);
  }
  return errors;
}

/** Jobs of several regions are ours to run, so these texts are our own. */
function multiregion(config: Multiregion | undefined): string[] {
  if (config === undefined) return [];
  const errors: string[] = [];
  const names = config.Regions.map((region) => region.Name);
  if (names.includes("")) errors.push("Multiregion region must have a name");
  const repeated = names.find((name, i) => name !== "" && names.indexOf(name) !== i);
  if (repeated !== undefined) errors.push(`Multiregion region ${quote(repeated)} is duplicate`);
  const { OnFailure = "", MaxParallel = 0 } = config.Strategy ?? {};
  if (!["", "fail_all", "fail_local"].includes(OnFailure)) {
    errors.push(`Invalid multiregion on_failure ${quote(OnFailure)}, must be "fail_all", "fail_local" or empty`);
  }
  if (MaxParallel < 0) errors.push("Multiregion max_parallel must not be negative");
  return errors;
}

/** What only counts when a user registers, not for jobs that servers make. */
function registration(job: Job, limits: ValidationLimits): string[] {
  const errors: string[] = [];
  if (job.Type === "_core") errors.push("job type cannot be core");
  if (job.Payload.length > 0) errors.push("job can't be submitted with a payload, only dispatched");
  if (job.Priority < 1 || job.Priority > limits.priorityMax) {
    errors.push(`job priority must be between [1, ${limits.priorityMax}]`);
  }
  const count = job.TaskGroups.reduce((sum, group) => sum + (group.Count ?? 0), 0);
  if (limits.countMax > 0 && count > limits.countMax) {
    errors.push(`total count was greater than configured job_max_count: ${count} > ${limits.countMax}`);
  }
  return errors;
}
