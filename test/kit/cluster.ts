import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNatsServer, type NatsServer, startNats, startNatsCluster } from "@steppe/log/internal";
import { call, type Json, watchUntil } from "./api.ts";
import { type Started, start } from "./process.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const STEPPE = join(ROOT, "bin/steppe");
const START_TIMEOUT_MS = 30_000;
/** Thousands of nodes take their time on a loaded machine. */
const NODES_TIMEOUT_MS = 180_000;
/** Longer than the kill timeout of a task and the pace of a region without a leader. */
const TASKS_END_MS = 20_000;

/** An agent process with the addresses it listens on. */
export interface Agent extends Started {
  /** `http://host:port`. */
  readonly http: string;
  /** `host:port`. */
  readonly rpc: string;
}

export interface Region {
  readonly name: string;
  /** Undefined on the embedded log; of a cluster, its first node. */
  readonly nats: NatsServer | undefined;
  /** All of its NATS nodes. */
  readonly natsServers: readonly NatsServer[];
  readonly servers: Agent[];
  readonly workers: Started[];
  readonly simulated: Started[];
  readonly clients: Agent[];
}

export interface RegionShape {
  readonly name: string;
  readonly servers: number;
  readonly workers: number;
  readonly clients: number;
  /** Port of the first server's HTTP API; 0 = any. */
  readonly httpPort?: number;
  /** Nodes of its NATS cluster, each with a replica of the log; default 1. */
  readonly natsNodes?: 1 | 3;
  /** Workers inside each server; default 0, and on the embedded log always 1. */
  readonly schedulers?: number;
}

export interface ClusterOptions {
  /** Default: where there is no nats-server. */
  readonly embedded?: boolean;
  /** Further lines of each server block, in HCL. */
  readonly serverOptions?: string;
  /** Of every agent and worker, by its name. */
  readonly environment?: (name: string) => NodeJS.ProcessEnv;
  /** Ports of 127.0.0.1 by the agent's name: where its gRPC listens, and where it tells others that it does. */
  readonly rpc?: (name: string) => { readonly port: number; readonly advertised: number } | undefined;
  /** Where it finds NATS, by its name, when not at the region's own nodes. */
  readonly natsUrls?: (name: string) => readonly string[] | undefined;
}

/** Regions of real processes on this machine; everything is under one temporary folder. */
export class Cluster {
  readonly folder: string;
  readonly regions: Map<string, Region> = new Map();
  readonly #embedded: boolean;
  readonly #serverOptions: string;
  readonly #environment: (name: string) => NodeJS.ProcessEnv;
  readonly #natsUrls: (name: string) => readonly string[] | undefined;
  readonly #rpc: NonNullable<ClusterOptions["rpc"]>;
  readonly #schedulers = new Map<string, number>();
  #count = 0;

  private constructor(folder: string, options: ClusterOptions) {
    this.folder = folder;
    this.#embedded = options.embedded ?? findNatsServer() === undefined;
    this.#serverOptions = options.serverOptions ?? "";
    this.#environment = options.environment ?? (() => ({}));
    this.#natsUrls = options.natsUrls ?? (() => undefined);
    this.#rpc = options.rpc ?? (() => undefined);
  }

  static async create(options: ClusterOptions = {}): Promise<Cluster> {
    return new Cluster(await mkdtemp(join(tmpdir(), "steppe-cluster-")), options);
  }

  get embedded(): boolean {
    return this.#embedded;
  }

  region(name: string): Region {
    const region = this.regions.get(name);
    if (region === undefined) throw new Error(`no region ${name} in this cluster`);
    return region;
  }

  /** Starts a region whose servers join those that are there. On the embedded log it has one server, which also schedules. */
  async addRegion(shape: RegionShape): Promise<Region> {
    const natsServers = this.#embedded ? [] : await this.#startNats(shape);
    const [nats] = natsServers;
    const region: Region = {
      name: shape.name,
      nats,
      natsServers,
      servers: [],
      workers: [],
      simulated: [],
      clients: [],
    };
    this.regions.set(shape.name, region);
    this.#schedulers.set(shape.name, this.#embedded ? 1 : (shape.schedulers ?? 0));
    const servers = this.#embedded ? 1 : shape.servers;
    for (let n = 0; n < servers; n++) await this.addServer(region, n === 0 ? (shape.httpPort ?? 0) : 0);
    if (!this.#embedded) for (let n = 0; n < shape.workers; n++) await this.addWorker(region);
    for (let n = 0; n < shape.clients; n++) await this.addClient(region);
    return region;
  }

  async #startNats({ name, natsNodes }: RegionShape): Promise<readonly NatsServer[]> {
    if (natsNodes !== 3) return [await startNats({ storeDir: join(this.folder, name, "nats") })];
    return (await startNatsCluster(3, `steppe-${name}`)).servers;
  }

  async addServer(region: Region, httpPort = 0): Promise<Agent> {
    const schedulers = this.#schedulers.get(region.name) ?? 0;
    const join = [...this.regions.values()].flatMap((it) => it.servers.map((server) => server.rpc));
    const agent = await this.#agent(region, "server", httpPort, [
      `server {`,
      `  enabled = true`,
      `  num_schedulers = ${schedulers}`,
      `  join = ${JSON.stringify(join)}`,
      this.#serverOptions,
      `}`,
    ]);
    region.servers.push(agent);
    return agent;
  }

  /** Starts a server that has ended, on the files it had. It may get other ports. */
  async restartServer(region: Region, server: Agent): Promise<Agent> {
    const file = join(this.folder, region.name, server.name, "agent.hcl");
    const agent = await this.#startAgent(server.name, file);
    region.servers.splice(region.servers.indexOf(server), 1, agent);
    return agent;
  }

  async addClient(region: Region): Promise<Agent> {
    const servers = region.servers.map((server) => server.rpc);
    const agent = await this.#agent(region, "client", 0, [
      `client {`,
      `  enabled = true`,
      `  servers = ${JSON.stringify(servers)}`,
      `}`,
    ]);
    region.clients.push(agent);
    return agent;
  }

  async addWorker(region: Region): Promise<Started> {
    const { name, file } = await this.#config(region, "worker", 0, []);
    const worker = start(name, STEPPE, ["worker", "-config", file], this.#environment(name));
    await worker.line((line) => line.msg === "worker started", START_TIMEOUT_MS);
    region.workers.push(worker);
    return worker;
  }

  /** One process with many nodes of 16,000 MHz and 32 GB that pretend to run what they are given. */
  async addSimulatedNodes(region: Region, count: number, args: readonly string[] = []): Promise<Started> {
    const servers = region.servers.flatMap((server) => ["-servers", server.rpc]);
    const process = start(`${region.name}-nodes`, STEPPE, [
      "simulate-nodes",
      ...servers,
      ...["-count", String(count), "-log-json", ...args],
    ]);
    region.simulated.push(process);
    await process.line((line) => line.msg === "simulated nodes registered", NODES_TIMEOUT_MS);
    return process;
  }

  async #agent(region: Region, role: string, httpPort: number, blocks: readonly string[]): Promise<Agent> {
    const { name, file } = await this.#config(region, role, httpPort, blocks);
    return await this.#startAgent(name, file);
  }

  async #startAgent(name: string, file: string): Promise<Agent> {
    const started = start(name, STEPPE, ["agent", "-config", file], this.#environment(name));
    const ready = await started.line((line) => line.msg === "agent started", START_TIMEOUT_MS);
    return Object.assign(started, { http: `http://${String(ready.http)}`, rpc: String(ready.rpc) });
  }

  async #config(region: Region, role: string, httpPort: number, blocks: readonly string[]) {
    this.#count += 1;
    const name = `${region.name}-${role}-${this.#count}`;
    const folder = join(this.folder, region.name, name);
    await mkdir(folder, { recursive: true });
    const rpc = this.#rpc(name);
    const urls = this.#natsUrls(name) ?? region.natsServers.map(({ url }) => url);
    const nats =
      region.nats === undefined || role === "client"
        ? ""
        : `nats {\n  servers = ${JSON.stringify(urls)}\n  replicas = ${region.natsServers.length}\n}`;
    const lines = [
      `name = "${name}"`,
      `region = "${region.name}"`,
      `data_dir = "${folder}/data"`,
      `bind_addr = "127.0.0.1"`,
      // All clients of a test are at one address.
      `limits {`,
      `  http_max_conns_per_client = 0`,
      `}`,
      `log_json = true`,
      `limits { http_max_conns_per_client = 0 }`,
      `log_level = "${process.env.STEPPE_TEST_LOG ?? "info"}"`,
      `ports {`,
      `  http = ${httpPort}`,
      `  rpc = ${rpc?.port ?? 0}`,
      `}`,
      rpc === undefined ? "" : `advertise {\n  rpc = "127.0.0.1:${rpc.advertised}"\n}`,
      nats,
      ...blocks,
    ];
    const file = join(folder, "agent.hcl");
    await writeFile(file, `${lines.filter((line) => line !== "").join("\n")}\n`);
    return { name, file };
  }

  /** Stops all jobs of regions that still answer: an agent that is stopped leaves its tasks running. */
  async stopJobs(): Promise<void> {
    for (const { servers, clients } of this.regions.values()) {
      const server = servers.find(({ child }) => child.exitCode === null && child.signalCode === null);
      if (server === undefined || clients.length === 0) continue;
      const jobs = await call<{ ID: string }[]>("GET", `${server.http}/v1/jobs`);
      for (const { ID } of jobs.body) await call("DELETE", `${server.http}/v1/job/${encodeURIComponent(ID)}`);
      const ended = (list: Json[]) =>
        list.every((it) => it.ClientStatus !== "running" && it.ClientStatus !== "pending");
      await watchUntil<Json[]>(`${server.http}/v1/allocations`, ended, TASKS_END_MS);
    }
  }

  /** Stops everything, clients first, and removes the folder. */
  async close(): Promise<void> {
    for (const part of ["simulated", "clients", "workers", "servers"] as const) {
      await Promise.all([...this.regions.values()].flatMap((region) => region[part].map((it) => it.stop())));
    }
    await Promise.all(
      [...this.regions.values()].map((region) =>
        Promise.all(region.natsServers.map((it) => it[Symbol.asyncDispose]())),
      ),
    );
    if (existsSync(this.folder)) await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
