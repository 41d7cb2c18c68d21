// For tests, here and in test/. Nothing that ships imports this.
export { NO_AGENT } from "./no-agent.ts";
export { routesOf } from "./openapi/document.ts";
export { prometheusText } from "./reply/prometheus.ts";
export type { Resource } from "./resource.ts";
export { ROUTES } from "./routes.ts";
