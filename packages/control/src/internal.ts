// For tests of this and other packages: a region in one process, under stepped time.
export { EvaluationQueue } from "./broker/queue.ts";
export { type Schedule, TestCluster, type TestServer, type TestWorker } from "./testing/cluster.ts";
export { firstFit } from "./testing/first-fit.ts";
export { LocalBus } from "./testing/local-bus.ts";
export { Member, seededRandom, TestRegion } from "./testing/region.ts";
export { createStepClock, START_NS, type StepClock, settle } from "./testing/step-clock.ts";
