// For tests of this and other packages: complete, canonical messages.
export { mockBatchJob, mockJob, mockNode, mockSystemJob } from "./fixtures.ts";
