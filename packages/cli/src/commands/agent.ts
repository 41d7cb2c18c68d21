import { loadConfig, runAgent } from "@steppe/server";
import { readFlags, UsageError } from "../command-line.ts";

export const usage = `Usage: steppe agent -dev | -config PATH [-config PATH …] [options]

  Runs an agent until SIGINT or SIGTERM, on which it leaves cleanly.

  -dev                 Server, worker and node agent in one process on 127.0.0.1. Keeps nothing
                       unless -data-dir is given.
  -config PATH         Configuration file (HCL or JSON, as Nomad's agent reads them), or a folder of
                       them. Later ones win.

  -name, -node NAME    Name of this agent; unique in its region.
  -region NAME         Region; "global" unless set.
  -dc NAME             Datacenter; "dc1" unless set.
  -data-dir PATH       Where everything durable is kept.
  -bind ADDRESS        Address to listen on.
  -http-port PORT      HTTP API; 4646 unless set, 0 = any free port.
  -rpc-port PORT       gRPC; 4647 unless set, 0 = any free port.
  -server              Be a server.
  -client              Be a node agent.
  -join ADDRESS        gRPC address of a server of any region; repeatable.
  -servers ADDRESS     gRPC address of a server, for a node agent; repeatable.
  -node-class NAME     Class of this node.
  -nats URL            NATS server of this region; repeatable. Without one, a server keeps its log
                       in its data directory and is the only one of its region.
  -log-level LEVEL     trace, debug, info, warn, error or off.
  -log-json            Log JSON also to a terminal.`;

const FLAGS = {
  dev: "switch",
  config: "list",
  name: "text",
  node: "text",
  region: "text",
  dc: "text",
  "data-dir": "text",
  bind: "text",
  "http-port": "number",
  "rpc-port": "number",
  server: "switch",
  client: "switch",
  join: "list",
  servers: "list",
  "node-class": "text",
  nats: "list",
  "log-level": "text",
  "log-json": "switch",
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const { overrides, files } = readOverrides(args);
  const read = () => loadConfig(files, overrides);
  return await runAgent(await read(), read);
}

function readOverrides(args: readonly string[]) {
  const flags = readFlags(args, FLAGS);
  if (!flags.dev && flags.config.length === 0 && !flags.server && !flags.client) {
    throw new UsageError("say -dev, or -config with a file or folder, or -server or -client with -data-dir");
  }
  const set = <T>(value: T | undefined, name: string) => (value === undefined ? {} : { [name]: value });
  const many = (value: readonly string[], name: string) => (value.length === 0 ? {} : { [name]: value });
  const overrides = {
    ...(flags.dev && { dev: true }),
    ...(flags.server && { server: true }),
    ...(flags.client && { client: true }),
    ...(flags["log-json"] && { logJson: true }),
    ...set(flags.name ?? flags.node, "name"),
    ...set(flags.region, "region"),
    ...set(flags.dc, "datacenter"),
    ...set(flags["data-dir"], "dataDir"),
    ...set(flags.bind, "bind"),
    ...set(flags["log-level"], "logLevel"),
    ...set(flags["node-class"], "nodeClass"),
    ...many(flags.join, "join"),
    ...many(flags.servers, "servers"),
    ...many(flags.nats, "natsServers"),
    ports: { ...set(flags["http-port"], "http"), ...set(flags["rpc-port"], "rpc") },
  };
  return { overrides, files: flags.config };
}
