// What happens to a task, in the words the API uses for it.
import { formatDuration } from "@steppe/model";
import { TaskEvent } from "@steppe/proto";
import type { ExitResult } from "../drivers/driver.ts";
import { WITHIN_POLICY } from "./restart.ts";

/** Newest kept per task. */
export const EVENTS_MAX = 10;

export type Happening = (timeNs: number) => TaskEvent;

function event(type: string, display: string, fields: Partial<TaskEvent> = {}): Happening {
  return (timeNs) => TaskEvent.create({ Type: type, Time: timeNs, DisplayMessage: display, ...fields });
}

export const received = event("Received", "Task received by client");

export const setUp = event("Task Setup", "Building Task Directory", {
  Message: "Building Task Directory",
  Details: { message: "Building Task Directory" },
});

export const started = event("Started", "Task started by client");

export function driverFailure(error: string): Happening {
  return event("Driver Failure", error, { DriverError: error, Details: { driver_error: error } });
}

export function setupFailure(error: string): Happening {
  return event("Setup Failure", error, { SetupError: error, FailsTask: true, Details: { setup_error: error } });
}

export function driverMessage(message: string): Happening {
  return event("Driver", message, { DriverMessage: message, Details: { driver_message: message } });
}

export function terminated(result: ExitResult): Happening {
  const parts = [`Exit Code: ${result.exitCode}`];
  if (result.signal !== 0) parts.push(`Signal: ${result.signal}`);
  if (result.message !== "") parts.push(`Exit Message: ${JSON.stringify(result.message)}`);
  const details: Record<string, string> = {
    exit_code: String(result.exitCode),
    signal: String(result.signal),
    oom_killed: "false",
  };
  if (result.message !== "") details.exit_message = result.message;
  return event("Terminated", parts.join(", "), {
    Message: result.message,
    ExitCode: result.exitCode,
    Signal: result.signal,
    Details: details,
  });
}

export function restartAsked(reason: string): Happening {
  return event("Restart Signaled", reason, { RestartReason: reason, Details: { restart_reason: reason } });
}

export function signaling(signal: string): Happening {
  const text = `Task being sent signal ${signal}`;
  return event("Signaling", text, { TaskSignal: signal, Details: { signal } });
}

export function restarting(reason: string, delayMs: number): Happening {
  const delayNs = Math.round(delayMs * 1e6);
  const text = `Task restarting in ${formatDuration(delayNs)}`;
  return event("Restarting", reason === WITHIN_POLICY ? text : `${reason} - ${text}`, {
    RestartReason: reason,
    StartDelay: delayNs,
    Details: { restart_reason: reason, start_delay: String(delayNs) },
  });
}

export function notRestarting(reason: string): Happening {
  return event("Not Restarting", reason, {
    RestartReason: reason,
    FailsTask: true,
    Details: { restart_reason: reason, fails_task: "true" },
  });
}

export function waitingForShutdownDelay(delayNs: number): Happening {
  const text = `Waiting for shutdown_delay of ${formatDuration(delayNs)} before killing the task.`;
  return event("Waiting for Shutdown Delay", text);
}

export function killing(timeoutMs: number): Happening {
  const timeoutNs = timeoutMs * 1e6;
  const timeout = formatDuration(timeoutNs);
  return event("Killing", `Sent interrupt. Waiting ${timeout} before force killing`, {
    KillTimeout: timeoutNs,
    Details: { kill_timeout: timeout },
  });
}

export function allocationUnhealthy(reason: string): Happening {
  return event("Alloc Unhealthy", reason, { Message: reason, Details: { message: reason } });
}

export const killed = event("Killed", "Task successfully killed");

export const leaderDead = event("Leader Task Dead", "Leader Task in Group dead");

export const mainTasksDead = event("Main Tasks Dead", "Main tasks in the group died");

export function siblingFailed(task: string): Happening {
  return event("Sibling Task Failed", `Task's sibling "${task}" failed`, {
    FailedSibling: task,
    Details: { failed_sibling: task },
  });
}
