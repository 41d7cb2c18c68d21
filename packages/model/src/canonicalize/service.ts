import type { CheckRestart, Job, Service, ServiceCheck, Task, TaskGroup } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { SECOND } from "../time.ts";
import { mergeBlocks } from "./merge.ts";

/** `task` is undefined for a service of the group itself. */
export function canonicalizeService(service: Service, job: Job, group: TaskGroup, task: Task | undefined): void {
  service.Name ||= task === undefined ? `${job.Name}-${group.Name}` : `${job.Name}-${group.Name}-${task.Name}`;
  service.Name = expandName(service.Name, job.Name, group.Name, task?.Name ?? "group");
  service.AddressMode ||= "auto";
  service.OnUpdate ||= "require_healthy";
  service.Provider ||= "consul";
  if (service.Provider === "consul") service.Cluster ||= "default";
  service.Namespace = service.Provider === "nomad" ? job.Namespace : "default";
  if (task !== undefined) service.TaskName ||= task.Name;
  for (const check of service.Checks) canonicalizeCheck(check, service, task);
  // Input only: it now stands in every check.
  service.CheckRestart = undefined;
}

/** Only what is known before placement is replaced; `${node…}` and the like stay. */
function expandName(name: string, job: string, group: string, task: string): string {
  const known: Readonly<Record<string, string>> = {
    JOB: job,
    TASKGROUP: group,
    TASK: task,
    BASE: `${job}-${group}-${task}`,
  };
  return name.replace(/\$\{(JOB|TASKGROUP|TASK|BASE)\}/g, (_, key: string) => known[key] as string);
}

function canonicalizeCheck(check: ServiceCheck, service: Service, task: Task | undefined): void {
  check.Name ||= `service: ${quote(service.Name)} check`;
  if (task !== undefined) check.TaskName ||= task.Name;
  check.OnUpdate ||= service.OnUpdate;
  check.CheckRestart = mergeCheckRestart(service.CheckRestart, check.CheckRestart);
  if (check.CheckRestart !== undefined) check.CheckRestart.Grace ??= SECOND;
}

/** Limit 0 and IgnoreWarnings false count as not set, so the service's show through. */
function mergeCheckRestart(outer: CheckRestart | undefined, inner: CheckRestart | undefined): CheckRestart | undefined {
  const merged = mergeBlocks(outer, inner);
  if (merged === undefined || outer === undefined) return merged;
  merged.Limit ||= outer.Limit;
  merged.IgnoreWarnings ||= outer.IgnoreWarnings;
  return merged;
}
