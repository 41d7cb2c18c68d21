// Texts that clients show or match; each is the API's own, letter for letter.

/** DesiredDescription, or ClientDescription for the two about nodes. */
export const ALLOCATION_DESCRIPTIONS = {
  notNeeded: "alloc not needed due to job update",
  nodeTainted: "alloc not needed as node is tainted",
  reconnected: "alloc not needed due to disconnected client reconnect",
  migrating: "alloc is being migrated",
  updating: "alloc is being updated due to job update",
  inPlace: "alloc updating in-place",
  lost: "alloc is lost since its node is down",
  unknown: "alloc is unknown since its node is disconnected",
  rescheduled: "alloc was rescheduled because it failed",
} as const;

/** The description of an allocation that made room for another. */
export function preemptedBy(allocationId: string): string {
  return `Preempted by alloc ID ${allocationId}`;
}

/** StatusDescription. */
export const EVALUATION_DESCRIPTIONS = {
  maxPlanAttempts: "created due to placement conflicts",
  failedPlacements: "created to place remaining allocations",
  delayedReschedule: "created for delayed rescheduling",
  disconnectTimeout: "created for delayed disconnect timeout",
} as const;

export function deliveryLimitReached(limit: number): string {
  return `evaluation reached delivery limit (${limit})`;
}

export function blockedEvaluationExists(jobId: string): string {
  return `existing blocked evaluation exists for job "${jobId}"`;
}

export function evaluationSuccessful(id: string): string {
  return `evaluation "${id}" successful`;
}

export function unknownTrigger(trigger: string): string {
  return `scheduler cannot handle '${trigger}' evaluation reason`;
}

export function maximumAttemptsReached(attempts: number): string {
  return `maximum attempts reached (${attempts})`;
}

export function jobDeleted(jobId: string): string {
  return `job ${jobId} deleted`;
}

/** StatusDescription. */
export const DEPLOYMENT_DESCRIPTIONS = {
  running: "Deployment is running",
  needsPromotion: "Deployment is running but requires manual promotion",
  autoPromotion: "Deployment is running pending automatic promotion",
  paused: "Deployment is paused",
  successful: "Deployment completed successfully",
  stoppedJob: "Cancelled because job is stopped",
  newerJob: "Cancelled due to newer version of job",
  failedAllocations: "Failed due to unhealthy allocations",
  progressDeadline: "Failed due to progress deadline",
  failedByUser: "Deployment marked as failed",
  failedByPeer: "Failed because of an error in peer region",
  blocked: "Deployment is complete but waiting for peer region",
  unblocking: "Deployment is unblocking remaining regions",
  pendingForPeer: "Deployment is pending, waiting for peer region",
} as const;

/** Appended to the description of a failed deployment with auto_revert. */
export function rollbackDescription(description: string, version: number): string {
  return `${description} - rolling back to job version ${version}`;
}

export function rollbackNoOpDescription(description: string, version: number): string {
  return `${description} - not rolling back to stable job version ${version} as current job has same specification`;
}

export function noRollbackTargetDescription(description: string): string {
  return `${description} - no stable job version to auto revert to`;
}
