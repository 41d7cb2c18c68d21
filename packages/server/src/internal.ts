// For tests, here and in test/. Nothing that ships imports this.

export { upload } from "./durability/upload.ts";
export { createParseJob } from "./job-files/parse-job.ts";
export { type HttpRegion, openHttpRegion } from "./testing/http-region.ts";
export { type LocalRegion, openLocalRegion } from "./testing/local-region.ts";
export { MemoryLog } from "./testing/memory-log.ts";
