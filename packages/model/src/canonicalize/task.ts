import {
  type Job,
  LogConfig,
  Resources,
  type Task,
  type TaskArtifact,
  type TaskGroup,
  type Template,
  type Vault,
} from "@steppe/proto";
import { SECOND } from "../time.ts";
import { mergeBlocks } from "./merge.ts";
import { fillAffinities, fillNetworks } from "./placement.ts";
import { canonicalizeService } from "./service.ts";

export function canonicalizeTask(task: Task, job: Job, group: TaskGroup): void {
  if (task.Config !== undefined && Object.keys(task.Config).length === 0) task.Config = undefined;
  if (task.Lifecycle?.Hook === "" && !task.Lifecycle.Sidecar) task.Lifecycle = undefined;
  fillAffinities(task.Affinities);
  task.Resources ??= Resources.create();
  canonicalizeResources(task.Resources);
  task.RestartPolicy = mergeBlocks(group.RestartPolicy, task.RestartPolicy);
  if (!task.KillTimeout) task.KillTimeout = 5 * SECOND;
  task.LogConfig ??= LogConfig.create();
  canonicalizeLogs(task.LogConfig);
  for (const service of task.Services) canonicalizeService(service, job, group, task);
  for (const artifact of task.Artifacts) canonicalizeArtifact(artifact);
  for (const template of task.Templates) canonicalizeTemplate(template);
  for (const mount of task.VolumeMounts) mount.PropagationMode ??= "private";
  if (task.Vault !== undefined) canonicalizeVault(task.Vault);
  if (task.Consul !== undefined) task.Consul.Cluster ||= "default";
  for (const policy of task.ScalingPolicies) canonicalizeTaskScaling(policy, job, group, task);
  canonicalizeIdentities(task);
  canonicalizePlugin(task);
}

/**
 * CPU and MemoryMB of 0 are unset: the example of the API's own 0.5 page has them, and 0 is
 * refused otherwise. The other numbers are 0 when not given, as the API shows them.
 */
function canonicalizeResources(resources: Resources): void {
  resources.Cores ??= 0;
  if (!resources.CPU) resources.CPU = resources.Cores > 0 ? 0 : 100;
  if (!resources.MemoryMB) resources.MemoryMB = 300;
  resources.MemoryMaxMB ??= 0;
  resources.DiskMB ??= 0;
  resources.IOPS ??= 0;
  resources.SecretsMB ??= 0;
  fillNetworks(resources.Networks);
  for (const device of resources.Devices) {
    device.Count ??= 1;
    fillAffinities(device.Affinities);
  }
  if (resources.NUMA !== undefined) resources.NUMA.Affinity ||= "none";
}

function canonicalizeLogs(logs: LogConfig): void {
  logs.MaxFiles ??= 10;
  logs.MaxFileSizeMB ??= 10;
  logs.Disabled ??= logs.Enabled === false;
}

function canonicalizeArtifact(artifact: TaskArtifact): void {
  artifact.GetterMode ??= "any";
  artifact.RelativeDest ??= artifact.GetterMode === "file" ? `local/${baseName(artifact.GetterSource)}` : "local/";
}

/** The last element of a slash-separated path, as Go's path.Base. */
function baseName(path: string): string {
  if (path === "") return ".";
  const trimmed = path.replace(/\/+$/, "");
  return trimmed === "" ? "/" : (trimmed.split("/").at(-1) as string);
}

function canonicalizeTemplate(template: Template): void {
  template.SourcePath ??= "";
  template.DestPath ??= "";
  template.EmbeddedTmpl ??= "";
  template.ChangeMode ??= "restart";
  template.ChangeSignal = (template.ChangeSignal ?? (template.ChangeMode === "signal" ? "SIGHUP" : "")).toUpperCase();
  if (template.ChangeScript !== undefined) template.ChangeScript.Timeout ??= 5 * SECOND;
  template.Once ??= false;
  template.Splay ??= 5 * SECOND;
  template.Perms ??= "0644";
  template.LeftDelim ??= "{{";
  template.RightDelim ??= "}}";
  template.Envvars ??= false;
  template.VaultGrace ??= 0;
  template.ErrMissingKey ??= false;
}

function canonicalizeVault(vault: Vault): void {
  vault.Cluster ||= "default";
  vault.Env ??= true;
  vault.ChangeMode ??= "restart";
  vault.ChangeSignal = (vault.ChangeSignal ?? "SIGHUP").toUpperCase();
}

function canonicalizeTaskScaling(
  policy: Task["ScalingPolicies"][number],
  job: Job,
  group: TaskGroup,
  task: Task,
): void {
  policy.Enabled ??= true;
  policy.Target = { Namespace: job.Namespace, Job: job.ID, Group: group.Name, Task: task.Name };
}

function canonicalizeIdentities(task: Task): void {
  for (const identity of task.Identity === undefined ? task.Identities : [task.Identity, ...task.Identities]) {
    identity.Name ||= "default";
    identity.ChangeSignal = identity.ChangeSignal.toUpperCase();
  }
}

function canonicalizePlugin(task: Task): void {
  const plugin = task.CSIPluginConfig;
  if (plugin === undefined) return;
  plugin.MountDir ||= "/csi";
  plugin.StagePublishBaseDir ||= "/local/csi";
  if (plugin.HealthTimeout === 0) plugin.HealthTimeout = 30 * SECOND;
}
