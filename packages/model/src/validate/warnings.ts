import type { Job, Task, TaskGroup } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { multiError } from "../multi-error.ts";

/** What is dubious or deprecated in a canonical, valid job. For the reply's Warnings field. */
export function jobWarnings(job: Job): string[] {
  const warnings = job.TaskGroups.flatMap((group) => {
    const own = groupWarnings(group, job);
    return own.length === 0 ? [] : [`Group ${quote(group.Name)} has warnings: ${multiError(own)}`];
  });
  const promoting = job.TaskGroups.filter((group) => group.Update?.AutoPromote === true).length;
  if (promoting > 0 && promoting < job.TaskGroups.length) {
    warnings.push("auto_promote must be true for all groups to enable automatic promotion");
  }
  if (job.Periodic !== undefined && job.Periodic.Spec !== "") {
    warnings.push("cron is deprecated and may be removed in a future release. Use crons instead");
  }
  return warnings;
}

function groupWarnings(group: TaskGroup, job: Job): string[] {
  return [...parallelism(group, job), ...olderForms(group), ...group.Tasks.flatMap(taskWarnings)];
}

function parallelism(group: TaskGroup, job: Job): string[] {
  const count = group.Count ?? 0;
  const parallel = group.Update?.MaxParallel ?? 0;
  const regional = (job.Multiregion?.Regions.length ?? 0) > 0;
  // A system group's count is per node and always 1.
  if (parallel <= count || job.Type === "system" || (regional && count === 0)) return [];
  return [
    `Update max parallel count is greater than task group count (${parallel} > ${count}). ` +
      "A destructive change would result in the simultaneous replacement of all allocations.",
  ];
}

function olderForms(group: TaskGroup): string[] {
  const warnings: string[] = [];
  if ((group.Networks[0]?.MBits ?? 0) > 0) {
    warnings.push("mbits has been deprecated as of Nomad 0.12.0. Please remove mbits from the network block");
  }
  if (group.MaxClientDisconnect !== undefined) {
    warnings.push("MaxClientDisconnect is deprecated favor of Disconnect.LostAfter");
  }
  if (group.StopAfterClientDisconnect !== undefined) {
    warnings.push("StopAfterClientDisconnect is deprecated favor of Disconnect.StopOnClientAfter");
  }
  if (group.PreventRescheduleOnLost) {
    warnings.push("PreventRescheduleOnLost is deprecated favor of Disconnect.Replace");
  }
  return warnings;
}

function taskWarnings(task: Task): string[] {
  const { IOPS = 0, DiskMB = 0, Networks = [] } = task.Resources ?? {};
  const warnings: string[] = [];
  if (IOPS !== 0) {
    warnings.push("IOPS has been deprecated as of Nomad 0.9.0. Please remove IOPS from resource block.");
  }
  if (DiskMB !== 0)
    warnings.push("DiskMB of a task is not acted on. Please use the ephemeral_disk block of the group.");
  if (Networks.length > 0) {
    warnings.push(
      "task network resources have been deprecated as of Nomad 0.12.0. Please configure networking via group network block.",
    );
  }
  if (task.Templates.some((template) => (template.VaultGrace ?? 0) !== 0)) {
    warnings.push(
      "VaultGrace has been deprecated as of Nomad 0.11 and ignored since Vault 0.5. " +
        "Please remove VaultGrace / vault_grace from template block.",
    );
  }
  return warnings.map((text) => `Task ${quote(task.Name)}: ${text}`);
}
