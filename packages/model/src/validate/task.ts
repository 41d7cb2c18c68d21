import type { Job, LogConfig, Task, TaskGroup } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { formatDuration } from "../time.ts";
import { validateArtifact } from "./artifact.ts";
import { validateAffinities, validateTaskConstraints } from "./constraint.ts";
import { validateIdentities } from "./identity.ts";
import { escapesTask } from "./paths.ts";
import { validateResources } from "./resources.ts";
import { validateTaskServices } from "./services.ts";
import { validateTemplates } from "./template.ts";
import { validateVault } from "./vault.ts";

export function validateTask(task: Task, group: TaskGroup, job: Job): string[] {
  return [
    ...basics(task),
    ...killTimeout(task, group, job),
    ...(task.Resources === undefined ? ["Missing task resources"] : nested("", validateResources(task.Resources))),
    ...logs(task.LogConfig, group),
    ...validateTaskConstraints(task.Constraints),
    ...validateAffinities(task.Affinities, job.Type),
    ...nested("", validateTaskServices(task, group.Networks)),
    ...task.Artifacts.flatMap((it, i) => nested(`Artifact ${i + 1} validation failed: `, validateArtifact(it))),
    ...(task.Vault === undefined ? [] : nested("Vault validation failed: ", validateVault(task.Vault))),
    ...validateTemplates(task.Templates),
    ...dispatchPayload(task),
    ...lifecycle(task),
    ...volumeMounts(task, group),
    ...plugin(task),
    ...actions(task),
    ...secrets(task),
    ...validateIdentities(task),
  ];
}

function basics(task: Task): string[] {
  const errors: string[] = [];
  if (task.Name === "") errors.push("Missing task name");
  if (/[/\\]/.test(task.Name)) errors.push("Task name cannot include slashes");
  else if (task.Name.includes("\0")) errors.push("Task name cannot include null characters");
  // The directory that tasks share has this name.
  if (task.Name === "alloc") errors.push('Task cannot be named "alloc"');
  if (task.Driver === "") errors.push("Missing task driver");
  if (task.ShutdownDelay < 0) errors.push("ShutdownDelay must be a positive value");
  return errors;
}

function killTimeout(task: Task, group: TaskGroup, job: Job): string[] {
  const timeout = task.KillTimeout ?? 0;
  if (timeout < 0) return ["KillTimeout must be a positive value"];
  const deadline = group.Update?.ProgressDeadline ?? 0;
  if (job.Type !== "service" || deadline <= 0 || timeout <= deadline) return [];
  return [
    `KillTimout (${formatDuration(timeout)}) longer than the group's ProgressDeadline (${formatDuration(deadline)})`,
  ];
}

function logs(config: LogConfig | undefined, group: TaskGroup): string[] {
  if (config === undefined) return ["Missing Log Config"];
  const { MaxFiles = 0, MaxFileSizeMB = 0 } = config;
  const errors: string[] = [];
  if (MaxFiles < 1) errors.push(`minimum number of files is 1; got ${MaxFiles}`);
  if (MaxFileSizeMB < 1) errors.push(`minimum file size is 1MB; got ${MaxFileSizeMB}`);
  const usage = MaxFiles * MaxFileSizeMB;
  const disk = group.EphemeralDisk?.SizeMB;
  const own = nested("", errors);
  if (disk === undefined || disk > usage || config.Disabled === true) return own;
  return [...own, `log storage (${usage} MB) must be less than requested disk capacity (${disk} MB)`];
}

function dispatchPayload(task: Task): string[] {
  if (task.DispatchPayload === undefined) return [];
  if (!escapesTask(`local/${task.DispatchPayload.File}`)) return [];
  return ["Dispatch Payload validation failed: destination escapes allocation directory"];
}

function lifecycle(task: Task): string[] {
  const hook = task.Lifecycle?.Hook;
  if (hook === undefined || ["prestart", "poststart", "poststop"].includes(hook)) return [];
  return [`Lifecycle validation failed: ${hook === "" ? "no lifecycle hook provided" : `invalid hook: ${hook}`}`];
}

function volumeMounts(task: Task, group: TaskGroup): string[] {
  return task.VolumeMounts.flatMap((mount, i) => {
    const errors: string[] = [];
    if (mount.Volume === "") errors.push(`Volume Mount (${i}) references an empty volume`);
    else if (!Object.hasOwn(group.Volumes, mount.Volume)) {
      errors.push(`Volume Mount (${i}) references undefined volume ${mount.Volume}`);
    }
    if (!["", "private", "host-to-task", "bidirectional"].includes(mount.PropagationMode ?? "")) {
      errors.push(`Volume Mount (${i}) has an invalid propagation mode: "${mount.PropagationMode}"`);
    }
    if (!["", "z", "Z"].includes(mount.SELinuxLabel)) {
      errors.push(`Volume Mount (${i}) has an invalid SELinux label: "${mount.SELinuxLabel}"`);
    }
    return errors;
  });
}

function plugin(task: Task): string[] {
  const config = task.CSIPluginConfig;
  if (config === undefined) return [];
  const errors: string[] = [];
  if (config.ID === "") errors.push("CSIPluginConfig must have a non-empty PluginID");
  if (!["node", "controller", "monolith"].includes(config.Type)) {
    errors.push(`CSIPluginConfig PluginType must be one of 'node', 'controller', or 'monolith', got: "${config.Type}"`);
  }
  return errors;
}

const NAMED = /^[a-zA-Z0-9-]{1,128}$/;

function actions(task: Task): string[] {
  const seen = new Set<string>();
  return task.Actions.flatMap((action) => {
    const errors: string[] = [];
    if (!NAMED.test(action.Name)) errors.push(`invalid name ${quote(action.Name)}`);
    if (action.Command === "") errors.push("command cannot be empty");
    const failed = nested(`Action ${action.Name} validation failed: `, errors);
    if (seen.has(action.Name)) failed.push(`Action ${action.Name} defined multiple times`);
    seen.add(action.Name);
    return failed;
  });
}

function secrets(task: Task): string[] {
  const seen = new Set<string>();
  return task.Secrets.flatMap((secret) => {
    const errors: string[] = [];
    if (secret.Name === "") errors.push("secret name cannot be empty");
    if (secret.Provider === "") errors.push("secret provider cannot be empty");
    if (secret.Path === "") errors.push("secret path cannot be empty");
    const failed = nested(`Secret ${quote(secret.Name)} validation failed: `, errors);
    if (seen.has(secret.Name)) failed.push(`Duplicate secret ${quote(secret.Name)}`);
    seen.add(secret.Name);
    return failed;
  });
}
