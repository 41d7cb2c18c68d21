// For tests.
export { createStepClock, START_NS, type StepClock, settle } from "./testing/step-clock.ts";
