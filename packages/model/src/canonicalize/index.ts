export { type CanonicalDefaults, canonicalizeJob } from "./job.ts";
