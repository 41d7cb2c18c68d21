import { ranSuccessfully } from "@steppe/model";
import type { Evaluation, Job, Node } from "@steppe/proto";
import type { AllocationView } from "@steppe/state";
import { disconnectOf, maySurvive } from "./disconnect.ts";
import { isDown, isGone } from "./rules.ts";
import type { Updates } from "./updates.ts";

/**
 * What an allocation of a system job is to its node:
 * - `ignore`: the past; the node needs one all the same
 * - `settled`: nothing runs, and nothing shall: the node is served
 * - `lost`, `drain`: its node can or shall not run it
 * - `disconnect`: its node has gone without a word, and it may run on there
 * - `unknown`: so it was found before, and still is
 * - `reconnect`: its node is back and runs it still
 * - `stop`: the group does not belong there
 * - `keep`: runs, and may
 */
export type SystemBucket =
  | "ignore"
  | "settled"
  | "lost"
  | "drain"
  | "stop"
  | "disconnect"
  | "unknown"
  | "reconnect"
  | "keep";

export interface SystemCase {
  readonly allocation: AllocationView;
  readonly evaluation: Evaluation;
  readonly job: Job;
  /** Undefined when the node is gone. */
  readonly node: Node | undefined;
  readonly updates: Updates;
  /** Unix nanoseconds. */
  readonly now: number;
  /** The job has the group and it suits the node, whether or not the node takes new placements. */
  readonly belongs: boolean;
}

type Rule = readonly [name: string, holds: (it: SystemCase) => boolean, bucket: SystemBucket];

/** System and sysbatch. The first rule that holds decides. */
export const SYSTEM_RULES: readonly Rule[] = [
  ["told to stop, but a sysbatch task of this version ended well first", isDoneThoughTold, "settled"],
  ["told to stop", ({ allocation }) => allocation.DesiredStatus !== "run", "ignore"],
  ["ended, sysbatch: once a node and version", hasEndedOnce, "settled"],
  ["failed, and its own failure is what is looked at: restarts are up to the node", isOwnFailure, "settled"],
  ["ended", ({ allocation }) => allocation.clientTerminal, "ignore"],
  ["its node is down or gone", ({ node }) => isGone(node), "lost"],
  ["the job is stopped, has no such group, or it does not suit the node", ({ belongs }) => !belongs, "stop"],
  ["unknown for longer than its group allows", isExpired, "lost"],
  ["its node is disconnected, as its group allows", (it) => maySurvive(it.allocation, it.node), "disconnect"],
  ["unknown, and not heard of since", isAway, "unknown"],
  ["unknown before, and back", ({ allocation }) => allocation.UnknownSince !== 0, "reconnect"],
  ["its node is disconnected, which its group does not allow", ({ node }) => isDown(node), "lost"],
  ["it is to leave its node", ({ allocation }) => allocation.Migrate, "drain"],
  ["runs", () => true, "keep"],
];

export function classifySystem(it: SystemCase): SystemBucket {
  return SYSTEM_RULES.find(([, holds]) => holds(it))?.[2] ?? "keep";
}

const isOnce = ({ job }: SystemCase): boolean => job.Type === "sysbatch";

function isDoneThoughTold(it: SystemCase): boolean {
  const { allocation, updates } = it;
  const done = allocation.ClientStatus === "complete" && ranSuccessfully({ TaskStates: allocation.TaskForms });
  return allocation.DesiredStatus !== "run" && isOnce(it) && done && updates.isCurrent(allocation);
}

function hasEndedOnce(it: SystemCase): boolean {
  const { ClientStatus } = it.allocation;
  return (
    isOnce(it) && (ClientStatus === "complete" || ClientStatus === "failed") && it.updates.isCurrent(it.allocation)
  );
}

/** Else a task that cannot run would be placed again as fast as it fails. */
function isOwnFailure({ allocation, evaluation, updates }: SystemCase): boolean {
  return (
    allocation.ClientStatus === "failed" && evaluation.TriggeredBy === "alloc-failure" && updates.isCurrent(allocation)
  );
}

function isExpired({ allocation, evaluation, now }: SystemCase): boolean {
  const { ClientStatus, FollowupEvalID, UnknownSince } = allocation;
  if (UnknownSince === 0 || ClientStatus !== "unknown") return false;
  return FollowupEvalID === evaluation.ID || UnknownSince + (disconnectOf(allocation)?.LostAfter ?? 0) <= now;
}

function isAway({ allocation, node }: SystemCase): boolean {
  return allocation.UnknownSince !== 0 && (allocation.ClientStatus === "unknown" || node?.Status !== "ready");
}
