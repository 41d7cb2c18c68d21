export type { FastifyInstance } from "fastify";
export { type AgentArguments, answerOfAgent } from "./agent-answers.ts";
export { buildApp } from "./build-app.ts";
export { listen } from "./listen.ts";
export type {
  AgentControls,
  AgentHealth,
  AgentInformation,
  ClientControls,
  Gauge,
  GaugeRow,
  GaugeTable,
  HttpNeeds,
  LogLevel,
  LogLine,
  MetricsSnapshot,
  PartHealth,
  RegionServices,
  Sampled,
  SchedulerSettings,
  ServerControls,
} from "./needs.ts";
export type { ChangeableOptions, CorsOptions, HttpOptions } from "./options.ts";
