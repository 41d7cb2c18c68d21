import type { Job, TaskGroup } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { validateAffinities, validateConstraints, validateSpreads } from "./constraint.ts";
import { validateDisconnect } from "./disconnect.ts";
import { validateMigrate } from "./migrate.ts";
import { validateGroupNetworks } from "./network.ts";
import { validateReschedule } from "./reschedule.ts";
import { validateRestart } from "./restart.ts";
import { validateScaling } from "./scaling.ts";
import { validateGroupServices, validateScriptChecks } from "./services.ts";
import { validateTask } from "./task.ts";
import { validateUpdate } from "./update.ts";
import { validateVolume } from "./volume.ts";

export function validateGroup(group: TaskGroup, job: Job): string[] {
  return [
    ...basics(group),
    ...validateConstraints(group.Constraints),
    ...validateAffinities(group.Affinities, job.Type),
    ...restart(group),
    ...validateSpreads(group.Spreads, job.Type),
    ...reschedule(group, job),
    ...disk(group),
    ...update(group, job),
    ...migrate(group, job),
    ...nested("", validateDisconnect(group.Disconnect, job.Type)),
    ...maxRunDuration(group, job),
    ...taskList(group),
    ...volumes(group, job),
    ...nested("Task group network validation failed: ", validateGroupNetworks(group)),
    ...nested("Task group service validation failed: ", validateGroupServices(group)),
    ...nested("Task group service check validation failed: ", validateScriptChecks(group)),
    ...nested("Task group scaling policy validation failed: ", validateScaling(group)),
    ...group.Tasks.flatMap((task) => nested(`Task ${task.Name} validation failed: `, validateTask(task, group, job))),
  ];
}

function basics(group: TaskGroup): string[] {
  const errors: string[] = [];
  if (group.Name === "") errors.push("Missing task group name");
  else if (group.Name.includes("\0")) errors.push("Task group name contains null character");
  if ((group.Count ?? 0) < 0) errors.push("Task group count can't be negative");
  if (group.Tasks.length === 0) errors.push("Missing tasks for task group");
  return errors;
}

function restart(group: TaskGroup): string[] {
  if (group.RestartPolicy === undefined) return [`Task Group ${group.Name} should have a restart policy`];
  return nested("", validateRestart(group.RestartPolicy));
}

function reschedule(group: TaskGroup, job: Job): string[] {
  const policy = group.ReschedulePolicy;
  if (job.Type === "system" || job.Type === "sysbatch") {
    return policy === undefined ? [] : ["System or sysbatch jobs should not have a reschedule policy"];
  }
  if (policy === undefined) return [`Task Group ${group.Name} should have a reschedule policy`];
  return nested("", validateReschedule(policy));
}

function disk(group: TaskGroup): string[] {
  if (group.EphemeralDisk === undefined) return [`Task Group ${group.Name} should have an ephemeral disk object`];
  const size = group.EphemeralDisk.SizeMB ?? 0;
  return size < 10 ? [`minimum DiskMB value is 10; got ${size}`] : [];
}

function update(group: TaskGroup, job: Job): string[] {
  if (group.Update === undefined) return [];
  const allowed = job.Type === "service" || job.Type === "system";
  return [
    ...(allowed ? [] : [`Job type ${quote(job.Type)} does not allow update block`]),
    ...nested("", validateUpdate(group.Update)),
  ];
}

function migrate(group: TaskGroup, job: Job): string[] {
  if (group.Migrate === undefined) return [];
  if (job.Type !== "service") return [`Job type ${quote(job.Type)} does not allow migrate block`];
  return nested("", validateMigrate(group.Migrate));
}

function maxRunDuration(group: TaskGroup, job: Job): string[] {
  if (group.MaxRunDuration === undefined) return [];
  const errors: string[] = [];
  if (group.MaxRunDuration <= 0) errors.push("MaxRunDuration must be greater than zero");
  if (job.Type !== "batch" && job.Type !== "sysbatch") {
    errors.push(`Job type ${quote(job.Type)} does not allow max_run_duration`);
  }
  return errors;
}

function taskList(group: TaskGroup): string[] {
  const errors: string[] = [];
  const seen = new Map<string, number>();
  group.Tasks.forEach((task, i) => {
    const earlier = seen.get(task.Name);
    if (task.Name === "") errors.push(`Task ${i + 1} missing name`);
    else if (earlier !== undefined) errors.push(`Task ${i + 1} redefines '${task.Name}' from task ${earlier}`);
    else seen.set(task.Name, i + 1);
  });
  if (group.Tasks.filter((task) => task.Leader).length > 1) errors.push("Only one task may be marked as leader");
  return errors;
}

function volumes(group: TaskGroup, job: Job): string[] {
  const canaries = group.Update?.Canary ?? 0;
  return Object.entries(group.Volumes).flatMap(([name, volume]) => {
    const error = validateVolume(volume, job.Type, group.Count ?? 0, canaries);
    return error === undefined ? [] : [`Task group volume validation for ${name} failed: ${error}`];
  });
}
