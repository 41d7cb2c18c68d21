export { type AgentParts, type AgentStats, createAgent, type NodeAgent } from "./agent.ts";
export { type ClientConfig, DRIVER_NAMES, type DriverName, type ReservedConfig } from "./config.ts";
export type { Connect, NodeAgentServer } from "./needs.ts";
export { type SimulatedNodes, type SimulatedStats, type SimulateOptions, simulateNodes } from "./simulated-nodes.ts";
