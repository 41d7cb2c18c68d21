import type { CommandKind } from "./proposals.ts";

/**
 * What a command sets that other commands may compare and set by index; undefined when it sets no
 * such thing. All commands of an entry share its index, so two that set the same thing must not
 * share an entry: their versions would have the same index, and who compares it could overwrite
 * one that it never saw.
 */
export function subjectOf(kind: CommandKind): string | undefined {
  switch (kind.$case) {
    case "RegisterJob":
      return jobSubject(kind.value.Job?.Namespace ?? "", kind.value.Job?.ID ?? "");
    case "DeregisterJob":
    case "RevertJob":
    case "ScaleJob":
      return jobSubject(kind.value.Namespace, kind.value.JobID);
    case "WriteVariable":
      return `variable\0${kind.value.Variable?.Namespace}\0${kind.value.Variable?.Path}`;
    case "SetSchedulerConfiguration":
    case "SetAutopilotConfiguration":
      return kind.$case;
    default:
      return undefined;
  }
}

function jobSubject(namespace: string, id: string): string {
  return `job\0${namespace}\0${id}`;
}
