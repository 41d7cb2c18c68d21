// For tests of this and other packages.
export { type AgentDouble, createServerDouble, type ServerDouble } from "./testing/server-double.ts";
export { createStepClock, type StepClock, settle } from "./testing/step-clock.ts";
