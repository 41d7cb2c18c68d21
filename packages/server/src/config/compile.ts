import { advertisedHost, type InterfaceAddress } from "./addresses.ts";
import { Checks } from "./checks.ts";
import { compileClient } from "./compile-client.ts";
import { compileHttp } from "./compile-http.ts";
import { compileNats } from "./compile-nats.ts";
import { compileServer } from "./compile-server.ts";
import { compileTls } from "./compile-tls.ts";
import type { AgentConfig, LogLevel } from "./config.ts";
import { DEFAULTS, DEV_DEFAULTS } from "./defaults.ts";
import { warnOfGossipPorts } from "./join.ts";
import type { FileOptions } from "./options.ts";
import type { Settings } from "./settings.ts";

/** What the configuration needs to know of the machine. */
export interface Machine {
  readonly hostname: string;
  readonly interfaces: readonly InterfaceAddress[];
}

export interface CompiledConfig {
  readonly config: AgentConfig;
  /** One line each: what was written and has no effect, with file and line. */
  readonly warnings: readonly string[];
}

/**
 * Fills in the defaults and checks every value and every pair of values.
 * @throws SteppeError `invalid` with the place of the value that cannot be
 */
export function compileConfig(settings: Settings, dev: boolean, machine: Machine): CompiledConfig {
  const { options } = settings;
  const checks = new Checks(settings);
  const base = dev ? { ...DEFAULTS, ...DEV_DEFAULTS } : DEFAULTS;
  const dataDir = options.data_dir === undefined ? "" : checks.absolute("data_dir", options.data_dir);
  const config: AgentConfig = {
    dev,
    name: checks.name("name", options.name ?? machine.hostname),
    region: checks.name("region", options.region ?? base.region),
    datacenter: checks.name("datacenter", options.datacenter ?? base.datacenter),
    dataDir,
    ...listeners(options, base.bindAddr, checks, machine),
    logLevel: options.log_level === undefined ? base.logLevel : logLevel(options.log_level, checks),
    logJson: options.log_json ?? false,
    http: compileHttp(options, base.httpConnsPerClientMax, checks),
    enableDebug: options.enable_debug ?? base.enableDebug,
    server: compileServer(options.server ?? {}, options.server?.enabled ?? dev, checks),
    client: compileClient(options.client ?? {}, { enabled: options.client?.enabled ?? dev, dev, dataDir }, checks),
    worker: { enabled: options.worker?.enabled ?? false },
    tls: compileTls(options.tls, checks),
    nats: compileNats(options.nats, checks),
  };
  checkTogether(config, checks);
  const joined = [...config.server.join, ...config.client.servers];
  return { config, warnings: [...settings.warnings, ...warnOfGossipPorts(joined)] };
}

type Listeners = Pick<AgentConfig, "bindAddr" | "ports" | "addresses" | "advertise">;

function listeners(options: FileOptions, defaultBind: string, checks: Checks, machine: Machine): Listeners {
  const bindAddr = checks.host("bind_addr", options.bind_addr ?? defaultBind);
  const listener = (name: "http" | "rpc", defaultPort: number) => {
    const port = checks.between(`ports.${name}`, options.ports?.[name] ?? defaultPort, 0, 65_535);
    const address = checks.host(`addresses.${name}`, options.addresses?.[name] ?? bindAddr);
    const given = options.advertise?.[name] ?? advertisedHost(address, machine.interfaces);
    return { port, address, advertise: checks.endpoint(`advertise.${name}`, given, port) };
  };
  const http = listener("http", DEFAULTS.httpPort);
  const rpc = listener("rpc", DEFAULTS.rpcPort);
  if (http.port === rpc.port && http.port !== 0 && http.address === rpc.address) {
    checks.refuse("ports.rpc", `must differ from ports.http (${http.port})`);
  }
  return {
    bindAddr,
    ports: { http: http.port, rpc: rpc.port },
    addresses: { http: http.address, rpc: rpc.address },
    advertise: { http: http.advertise, rpc: rpc.advertise },
  };
}

function logLevel(text: string, checks: Checks): LogLevel {
  const level = text.toLowerCase();
  if (level === "err") return "error";
  if (level === "off") return "silent";
  return checks.oneOf("log_level", level, ["trace", "debug", "info", "warn", "error", "silent"]);
}

function checkTogether({ dev, dataDir, server, client, worker, nats }: AgentConfig, checks: Checks): void {
  if (!server.enabled && !client.enabled && !worker.enabled) {
    checks.refuse(
      "server.enabled",
      "or client.enabled or worker.enabled must be true (or -dev given): there is nothing to run",
    );
  }
  if (worker.enabled && server.enabled) {
    checks.refuse(
      "worker.enabled",
      "is for processes that only schedule; for workers inside a server set server.num_schedulers",
    );
  }
  if (worker.enabled && nats === undefined) {
    checks.refuse("worker.enabled", "needs a nats block: the embedded log is open to one process only");
  }
  if (client.enabled && !server.enabled && client.servers.length === 0) {
    checks.refuse("client.servers", "must name a server where this process is none itself");
  }
  if (!dev && dataDir === "" && (server.enabled || client.enabled)) {
    checks.refuse("data_dir", "must be set (in a file or by -data-dir)");
  }
}
