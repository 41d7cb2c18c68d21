export type { SchedulerContext } from "./context.ts";
export { VerdictCache } from "./feasible/verdict-cache.ts";
export { splitPlan } from "./plan/split-plan.ts";
export { schedule } from "./schedule.ts";
export { Underway } from "./underway.ts";
