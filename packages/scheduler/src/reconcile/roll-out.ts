import { DEPLOYMENT_DESCRIPTIONS } from "@steppe/model";
import type { DeploymentState } from "@steppe/proto";
import type { Pass } from "../pass.ts";
import type { GroupChanges } from "./changes.ts";
import { beginDeployment, type JobRollout } from "./rollout.ts";

/** Drafts what becomes of the job's deployment: it begins, goes on, or is complete. */
export function rollOut(
  pass: Pass,
  { active, regional }: JobRollout,
  changes: readonly Pick<GroupChanges, "group" | "begun" | "complete">[],
): void {
  if (active === undefined) {
    const begun = changes.flatMap(({ group, begun }) => (begun === undefined ? [] : [[group.Name, begun] as const]));
    const groups: Record<string, DeploymentState> = Object.fromEntries(begun);
    if (begun.length > 0) pass.draft.begin(beginDeployment(pass, groups, regional));
    return;
  }
  pass.draft.partOf(active.ID);
  const open = changes.filter(({ group }) => active.TaskGroups[group.Name] !== undefined);
  if (active.Status !== "running" || open.length === 0 || !open.every(({ complete }) => complete)) return;
  pass.draft.updateDeployment({
    DeploymentID: active.ID,
    ...(active.IsMultiregion ? WAITS : SUCCEEDS),
  });
}

const SUCCEEDS = { Status: "successful", StatusDescription: DEPLOYMENT_DESCRIPTIONS.successful };
/** Its part is done; whether all is well is for all regions to say. */
const WAITS = { Status: "blocked", StatusDescription: DEPLOYMENT_DESCRIPTIONS.blocked };
