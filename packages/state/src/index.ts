export { type Applied, apply } from "./apply.ts";
export { Changes, type JobKey, jobKey, type TableName } from "./changes.ts";
export { decodeSnapshot, encodeSnapshot, SNAPSHOT_FORMAT } from "./persist.ts";
export { State } from "./state.ts";
export { AllocationState, type Ask, askOf, groupOf } from "./tables/allocations.ts";
export { isOpen } from "./tables/evaluations.ts";
export { capacityOf, isUsable } from "./tables/nodes.ts";
export type { AllocationView, DeploymentView, JobDeploymentsView, JobView, NodeColumns, StateView } from "./view.ts";
