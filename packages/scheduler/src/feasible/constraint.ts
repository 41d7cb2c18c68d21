import { isUniqueTarget, resolveTarget } from "@steppe/model";
import type { Constraint, Job, TaskGroup } from "@steppe/proto";
import type { Check } from "./check.ts";
import { operandOf } from "./operand.ts";

/** A constraint that looks at one node alone. One with an operand that nobody knows accepts no node. */
export function constraintCheck({ LTarget, Operand, RTarget }: Constraint): Check {
  const holds = operandOf(Operand);
  return {
    reason: `${LTarget} ${Operand || "="} ${RTarget}`.trim(),
    byClass: !isUniqueTarget(LTarget) && !isUniqueTarget(RTarget),
    accepts: (node) => holds?.(resolveTarget(LTarget, node), resolveTarget(RTarget, node)) ?? false,
  };
}

/** Looks at where other allocations of the job are; see distinct.ts. */
export function isDistinct({ Operand }: Constraint): boolean {
  return Operand === "distinct_hosts" || Operand === "distinct_property";
}

/** All that a group's allocations have to meet, from the job inwards. */
export function constraintsOf(job: Job, group: TaskGroup): Constraint[] {
  return [...job.Constraints, ...group.Constraints, ...group.Tasks.flatMap((task) => task.Constraints)];
}
