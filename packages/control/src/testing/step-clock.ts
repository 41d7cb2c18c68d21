export { createStepClock, START_NS, type StepClock, settle } from "@steppe/runtime/internal";
