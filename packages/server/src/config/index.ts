export { type Endpoint, formatEndpoint, type InterfaceAddress, parseEndpoint } from "./addresses.ts";
export { type CompiledConfig, compileConfig, type Machine } from "./compile.ts";
export type {
  AgentConfig,
  ClientConfig,
  ClientGcConfig,
  CorsConfig,
  HostVolumeConfig,
  HttpConfig,
  LogLevel,
  NatsAuth,
  NatsConfig,
  NatsTlsConfig,
  ReservedResources,
  SchedulerType,
  ServerConfig,
  ServerGcConfig,
  TlsConfig,
} from "./config.ts";
export { DEFAULTS, DEV_DEFAULTS } from "./defaults.ts";
export { compileSettings, devConfig, type LoadedConfig, loadConfig, parseSettings } from "./load.ts";
export { readMachine } from "./machine.ts";
export type { ConfigOverrides } from "./overrides.ts";
export type { Settings } from "./settings.ts";
