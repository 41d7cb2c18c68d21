// For tests of this and other packages: complete, canonical messages.
export { mockBatchJob, mockJob, mockNode, mockSystemJob } from "./fixtures.ts";
export { fieldsOf, jsonOf } from "./json-arbitrary.ts";
export { PERIODIC_JOB, SEED_JOB, TASK_NETWORK_JOB } from "./older-jobs.ts";
