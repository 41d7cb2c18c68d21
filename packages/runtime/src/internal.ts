// For tests.

export { canMount, type SmallDisk, smallDisk } from "./testing/small-disk.ts";
export { createStepClock, START_NS, type StepClock, settle } from "./testing/step-clock.ts";
export { unprivileged } from "./testing/unprivileged.ts";
