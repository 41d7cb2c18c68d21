export { type Agent, startAgent } from "./agent.ts";
export { type AgentConfig, type ConfigOverrides, devConfig, type LoadedConfig, loadConfig } from "./config/index.ts";
export { runAgent } from "./run-agent.ts";
export { runSimulatedNodes } from "./run-simulated-nodes.ts";
export { runWorker } from "./run-worker.ts";
export { takeSnapshot } from "./snapshots.ts";
