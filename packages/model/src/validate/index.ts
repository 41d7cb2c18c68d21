export { validateJob } from "./job.ts";
export { DEFAULT_LIMITS, type ValidationLimits } from "./limits.ts";
export { jobWarnings } from "./warnings.ts";
