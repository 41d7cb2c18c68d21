// For tests and benchmarks: a small cluster on the real state machine.
export { World } from "./testing/world.ts";
