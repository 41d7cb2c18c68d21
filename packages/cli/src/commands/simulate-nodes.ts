import { runSimulatedNodes } from "@steppe/server";
import { readFlags, UsageError } from "../command-line.ts";

export const usage = `Usage: steppe simulate-nodes -servers ADDRESS -count N [options]

  Registers N nodes from one process, keeps them alive by heartbeats and reports their allocations
  running, without running anything. Ends with SIGINT or SIGTERM; the nodes are then missed.

  -servers ADDRESS       gRPC address (host:port) of a server; repeatable.
  -count N               Nodes. Default 10.
  -cpu MHZ               CPU of each. Default 16000.
  -memory MB             Memory of each. Default 32768.
  -disk MB               Disk of each. Default 102400.
  -datacenters A,B       Given to the nodes in turn. Default dc1.
  -classes A,B           Node classes, given in turn.
  -node-pool NAME        Default "default".
  -attributes K=V,K=V    Further attributes of each node.
  -seed HEX              32 hexadecimal digits: the same ones make the same node IDs.
  -log-level LEVEL       trace, debug, info, warn, error or off.
  -log-json              Log JSON also to a terminal.`;

const FLAGS = {
  servers: "list",
  count: "number",
  cpu: "number",
  memory: "number",
  disk: "number",
  datacenters: "list",
  classes: "list",
  "node-pool": "text",
  attributes: "list",
  seed: "text",
  "log-level": "text",
  "log-json": "switch",
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, FLAGS);
  if (flags.servers.length === 0) throw new UsageError("-servers is needed");
  if (flags.seed !== undefined && !/^[0-9a-f]{32}$/i.test(flags.seed)) {
    throw new UsageError("-seed needs 32 hexadecimal digits");
  }
  return await runSimulatedNodes({
    servers: flags.servers,
    count: flags.count ?? 10,
    cpu: flags.cpu ?? 16_000,
    memoryMb: flags.memory ?? 32_768,
    diskMb: flags.disk ?? 102_400,
    datacenters: flags.datacenters,
    classes: flags.classes,
    nodePool: flags["node-pool"] ?? "default",
    attributes: Object.fromEntries(flags.attributes.map(attribute)),
    ...(flags.seed !== undefined && { seed: Buffer.from(flags.seed, "hex") }),
    logLevel: flags["log-level"] ?? "info",
    logJson: flags["log-json"],
  });
}

function attribute(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`-attributes needs NAME=VALUE, got ${JSON.stringify(text)}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
