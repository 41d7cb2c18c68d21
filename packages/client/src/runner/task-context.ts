// What a driver is given of a task: where it lives, what it is told, what it may write.
import type { AssignedAllocation, Job, Node, Task, TaskGroup } from "@steppe/proto";
import type { TaskContext } from "../drivers/driver.ts";
import { type TaskEnvironment, taskEnvironment } from "../drivers/environment.ts";
import { interpolateValue, type Variables } from "../drivers/interpolate.ts";
import type { AllocationDir } from "./allocation-files.ts";

export interface TaskPlace {
  readonly assigned: AssignedAllocation;
  readonly job: Job;
  readonly group: TaskGroup;
  readonly node: Node;
  readonly region: string;
  readonly hostEnv: Variables;
  readonly dir: AllocationDir;
}

const LOG_FILES = 10;
const LOG_FILE_MB = 10;

export function environmentOf(task: Task, place: TaskPlace): TaskEnvironment {
  const { assigned, job, group, node, region, hostEnv, dir } = place;
  return taskEnvironment({
    ...{ allocation: assigned, job, group, task, node, region, hostEnv },
    ...{ sharedDir: dir.shared, taskDir: dir.task(task.Name) },
  });
}

export function taskContext(task: Task, attempt: number, place: TaskPlace): TaskContext {
  const { assigned, dir } = place;
  const { env, variables } = environmentOf(task, place);
  return {
    allocId: assigned.ID,
    taskName: task.Name,
    attempt,
    taskDir: dir.task(task.Name),
    logsDir: dir.logs,
    supervisorDir: dir.supervisor,
    env,
    config: interpolateValue(task.Config ?? {}, variables) as Record<string, unknown>,
    logs: {
      disabled: task.LogConfig?.Disabled === true,
      filesMax: task.LogConfig?.MaxFiles ?? LOG_FILES,
      fileBytesMax: (task.LogConfig?.MaxFileSizeMB ?? LOG_FILE_MB) * 2 ** 20,
    },
  };
}
