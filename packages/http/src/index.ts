export type { FastifyInstance } from "fastify";
export { buildApp } from "./build-app.ts";
export type {
  AgentHealth,
  AgentInformation,
  Gauge,
  HttpNeeds,
  MetricsSnapshot,
  PartHealth,
  RegionServices,
  Sampled,
} from "./needs.ts";
export type { CorsOptions, HttpOptions } from "./options.ts";
