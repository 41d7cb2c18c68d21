// The environment of a task: NOMAD_* variables, then the task's own, which win. Pure.
import type { AssignedAllocation, Job, Node, Task, TaskGroup } from "@steppe/proto";
import { interpolate, nodeVariables, type Variables } from "./interpolate.ts";
import { portVariables } from "./port-variables.ts";

export interface EnvironmentInput {
  readonly allocation: AssignedAllocation;
  readonly job: Job;
  readonly group: TaskGroup;
  readonly task: Task;
  readonly node: Node;
  readonly region: string;
  /** Directory shared by the allocation's tasks. */
  readonly sharedDir: string;
  readonly taskDir: string;
  /** What the agent itself was started with; drivers that run host processes pass it on. */
  readonly hostEnv: Variables;
}

export interface TaskEnvironment {
  readonly env: Variables;
  /** The environment and the node's facts, for `${…}`. */
  readonly variables: Variables;
}

/** Credentials of the agent that no task inherits. */
const HOST_DENIED = new Set([
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "CONSUL_HTTP_AUTH",
  "CONSUL_HTTP_TOKEN",
  "CONSUL_TOKEN",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "NOMAD_TOKEN",
  "VAULT_TOKEN",
]);

export function taskEnvironment(input: EnvironmentInput): TaskEnvironment {
  const ports = portVariables(input.group, input.task, input.allocation.Claims);
  const own = { ...identity(input), ...directories(input), ...limits(input.task), ...ports, ...metaVariables(input) };
  const known = { ...nodeVariables(input.node, input.region), ...own };
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(input.hostEnv)) if (!HOST_DENIED.has(key)) env[key] = value;
  Object.assign(env, own);
  for (const [key, value] of Object.entries(input.task.Env)) env[interpolate(key, known)] = interpolate(value, known);
  return { env, variables: { ...known, ...env } };
}

function identity({ allocation, job, group, task, node, region }: EnvironmentInput): Record<string, string> {
  const result: Record<string, string> = {
    NOMAD_ALLOC_ID: allocation.ID,
    NOMAD_SHORT_ALLOC_ID: allocation.ID.slice(0, 8),
    NOMAD_ALLOC_NAME: allocation.Name,
    NOMAD_ALLOC_INDEX: String(allocation.NameIndex),
    NOMAD_TASK_NAME: task.Name,
    NOMAD_GROUP_NAME: group.Name,
    NOMAD_JOB_ID: job.ID,
    NOMAD_JOB_NAME: job.Name,
    NOMAD_NAMESPACE: allocation.Namespace,
    NOMAD_DC: node.Datacenter,
    NOMAD_REGION: region,
  };
  if (job.ParentID !== "") result.NOMAD_JOB_PARENT_ID = job.ParentID;
  return result;
}

function directories({ sharedDir, taskDir }: EnvironmentInput): Record<string, string> {
  return {
    NOMAD_ALLOC_DIR: sharedDir,
    NOMAD_TASK_DIR: `${taskDir}/local`,
    NOMAD_SECRETS_DIR: `${taskDir}/secrets`,
  };
}

function limits({ Resources }: Task): Record<string, string> {
  const result: Record<string, string> = {
    NOMAD_CPU_LIMIT: String(Resources?.CPU ?? 0),
    NOMAD_MEMORY_LIMIT: String(Resources?.MemoryMB ?? 0),
  };
  if (Resources?.MemoryMaxMB) result.NOMAD_MEMORY_MAX_LIMIT = String(Resources.MemoryMaxMB);
  return result;
}

/** Each key as it is and in upper case; the task's over the group's over the job's. */
function metaVariables({ job, group, task }: EnvironmentInput): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...job.Meta, ...group.Meta, ...task.Meta })) {
    const name = key.replaceAll(/[^a-zA-Z0-9_]/g, "_");
    result[`NOMAD_META_${name}`] = value;
    result[`NOMAD_META_${name.toUpperCase()}`] = value;
  }
  return result;
}
