// A region of real processes to measure.
import { type Agent, Cluster, type Region } from "../../kit/cluster.ts";

/** The log it lies on: SQLite in the server, or JetStream on one or three NATS nodes. */
export type Log = "embedded" | "R1" | "R3";

export interface Live extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly region: Region;
  readonly server: Agent;
}

export interface LiveOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly servers?: number;
  /** Worker processes beside the servers, which then leave scheduling to them. */
  readonly workers?: number;
  readonly serverOptions?: string;
}

export async function regionOn(log: Log, options: LiveOptions = {}): Promise<Live> {
  const { environment = {}, servers = 1, workers = 0, serverOptions = "" } = options;
  const cluster = await Cluster.create({
    embedded: log === "embedded",
    environment: () => environment,
    serverOptions,
  });
  const region = await addRegion(cluster, "bench", log, servers, workers);
  return {
    cluster,
    region,
    server: firstServer(region),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}

export function addRegion(cluster: Cluster, name: string, log: Log, servers = 1, workers = 0): Promise<Region> {
  return cluster.addRegion({
    name,
    servers,
    workers,
    clients: 0,
    natsNodes: log === "R3" ? 3 : 1,
    schedulers: workers === 0 ? 1 : 0,
  });
}

export function firstServer({ name, servers }: Region): Agent {
  const [server] = servers;
  if (server === undefined) throw new Error(`region ${name} has no server`);
  return server;
}

export function natsPids({ natsServers }: Region): number[] {
  return natsServers.flatMap(({ pid }) => pid ?? []);
}

export function serverPids({ servers, workers }: Region): number[] {
  return pidsOf([...servers, ...workers]);
}

export function pidsOf(agents: readonly { readonly pid: number }[]): number[] {
  return agents.map(({ pid }) => pid);
}
