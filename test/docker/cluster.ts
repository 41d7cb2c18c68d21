// The cluster of deploy/compose.yaml in the ha shape, as a project of its own, and its containers.
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ContainerRuntimeClient, getContainerRuntimeClient } from "testcontainers";
import { call, eventually, type Json } from "../kit/api.ts";
import { findEngine, ROOT } from "./engine.ts";

const run = promisify(execFile);

export const REGIONS = ["us", "eu", "ap"] as const;
export type Region = (typeof REGIONS)[number];
export type ShapeName = keyof typeof SHAPES;
export type Role = "nats" | "server" | "worker" | "client";

type Shape = Readonly<Record<Role, number>>;

/** Those of compose.yaml, for one region. */
const SHAPES = {
  usual: { nats: 1, server: 2, worker: 1, client: 1 },
  ha: { nats: 3, server: 3, worker: 2, client: 2 },
} as const satisfies Record<string, Shape>;
/** Thirty processes start on however few cores there are. */
const START_TIMEOUT_MS = 300_000;
/** Nodes are missed sooner than by default, so that a scenario takes seconds. */
const SERVER_TIMES =
  'server {\n  min_heartbeat_ttl = "4s"\n  heartbeat_grace = "3s"\n  failover_heartbeat_ttl = "10s"\n}\n';
/** A container that the engine started again may have another address. */
const URL_KEPT_MS = 2_000;
/** Characters of a container's output that are shown when its region does not become ready. */
const LAST_WORDS = 4_000;
const LOOPBACK = "127.0.46.46";

export interface ClusterOptions {
  /** Image of steppe. Default `steppe:dev`. */
  readonly image?: string;
  /** False: in clear text, as versions before TLS ran. */
  readonly tls?: boolean;
  readonly project?: string;
  /** Default `ha`. */
  readonly shape?: ShapeName;
  /** Only these are started; default all. */
  readonly regions?: readonly Region[];
  /** Whether clocks can be set; default true. Needs an image that deploy/local-base built. */
  readonly clocks?: boolean;
}

/** What is going on in a container matters here; how compose numbers it does not. */
interface Place {
  readonly id: string;
  readonly pid: number;
  readonly running: boolean;
  readonly startedAt: Date;
  /** By network, without the project's name. */
  readonly addresses: Readonly<Record<string, string>>;
}

export class DockerCluster implements AsyncDisposable {
  readonly project: string;
  readonly #folder: string;
  readonly #shape: Shape;
  readonly #regions: readonly Region[];
  readonly #runtime: ContainerRuntimeClient;
  #environment: Record<string, string>;
  #urls = new Map<string, { readonly url: string; readonly untilMs: number }>();

  private constructor(project: string, folder: string, runtime: ContainerRuntimeClient, options: ClusterOptions) {
    this.project = project;
    this.#folder = folder;
    const shape = options.shape ?? "ha";
    this.#shape = SHAPES[shape];
    this.#regions = options.regions ?? REGIONS;
    this.#runtime = runtime;
    this.#environment = {
      COMPOSE_PROFILES: shape === "ha" ? shape : "",
      STEPPE_NATS_NODES: String(this.#shape.nats),
      STEPPE_IMAGE: options.image ?? "steppe:dev",
      STEPPE_CONFIG: join(folder, "config"),
      STEPPE_CERTIFICATES: join(folder, "certificates"),
      STEPPE_TLS: options.tls === false ? "off" : "on",
      STEPPE_PUBLISH: LOOPBACK,
      STEPPE_HEALTH_INTERVAL: "300s",
    };
  }

  /** Starts all containers and waits until every region takes writes and knows the others. */
  static async up(options: ClusterOptions = {}): Promise<DockerCluster> {
    process.env.DOCKER_HOST = findEngine();
    process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
    const folder = mkdtempSync(join(tmpdir(), "steppe-docker-"));
    writeConfig(join(folder, "config"), options.tls ?? true);
    mkdirSync(join(folder, "certificates"));
    const project = options.project ?? `steppe-test-${process.pid}`;
    const cluster = new DockerCluster(project, folder, await getContainerRuntimeClient(), options);
    mkdirSync(join(folder, "config/clock"));
    // Where there is a file, the container's clock follows it.
    if (options.clocks !== false)
      for (const region of REGIONS) for (const it of cluster.names(region, "server")) cluster.setClock(it, 0);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => cluster.#abandon(signal));
    try {
      const services = options.regions?.flatMap((region) => cluster.all(region)) ?? [];
      await cluster.compose("up", "-d", "--no-build", ...services);
      await cluster.ready();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The cluster that an earlier run left behind, to try a scenario without starting it again. It is not taken down. */
  static async attach(project: string, shape: ShapeName): Promise<DockerCluster> {
    process.env.DOCKER_HOST = findEngine();
    process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
    const cluster = new DockerCluster(project, "", await getContainerRuntimeClient(), { shape });
    await cluster.restore();
    return cluster;
  }

  names(region: Region, role: Role): string[] {
    return Array.from({ length: this.#shape[role] }, (_, n) => `${region}-${role}-${n + 1}`);
  }

  all(region: Region): string[] {
    return (["nats", "server", "worker", "client"] as const).flatMap((role) => this.names(region, role));
  }

  /** `http://address:4646` on the region's own network, which no fault of these tests takes away. */
  async url(server: string): Promise<string> {
    const now = performance.now();
    const known = this.#urls.get(server);
    if (known !== undefined && now < known.untilMs) return known.url;
    const url = `http://${await this.address(server, regionOf(server))}:4646`;
    this.#urls.set(server, { url, untilMs: now + URL_KEPT_MS });
    return url;
  }

  async address(service: string, network: string): Promise<string> {
    const { addresses } = await this.place(service);
    const address = addresses[network];
    if (address === undefined || address === "") throw new Error(`${service} has no address on ${network}`);
    return address;
  }

  async place(service: string): Promise<Place> {
    const { Id, State, NetworkSettings } = await this.#container(service).inspect();
    const addresses = Object.entries(NetworkSettings.Networks).map(([name, network]) => {
      return [name.replace(`${this.project}_`, ""), network.IPAddress] as const;
    });
    const { Pid: pid, Running: running, StartedAt } = State;
    return { id: Id, pid, running, startedAt: new Date(StartedAt), addresses: Object.fromEntries(addresses) };
  }

  /** What it wrote since then. */
  async output(service: string, since: Date): Promise<string> {
    const asked = { stdout: true, stderr: true, since: Math.floor(since.getTime() / 1000) };
    return (await this.#container(service).logs(asked)).toString("utf8");
  }

  async signal(service: string, signal: "SIGKILL" | "SIGHUP"): Promise<void> {
    await this.#container(service).kill({ signal });
  }

  async stop(service: string): Promise<void> {
    await this.#container(service).stop({ t: 20 });
  }

  async start(service: string): Promise<void> {
    await this.#container(service).start();
    this.#urls.delete(service);
  }

  async pause(service: string): Promise<void> {
    await this.#container(service).pause();
  }

  async resume(service: string): Promise<void> {
    await this.#container(service).unpause();
  }

  async disconnect(service: string, network: string): Promise<void> {
    const container = this.#container(service).id;
    await this.#runtime.container.dockerode
      .getNetwork(`${this.project}_${network}`)
      .disconnect({ Container: container, Force: true });
  }

  async connect(service: string, network: string): Promise<void> {
    const handle = this.#runtime.container.dockerode.getNetwork(`${this.project}_${network}`);
    await handle.connect({ Container: this.#container(service).id, EndpointConfig: { Aliases: [service] } });
  }

  /** What NATS tells of itself, on a port that only its own container reaches; empty: nothing. */
  async monitor(node: string, path: string): Promise<string> {
    const { pid, running } = await this.place(node);
    if (!running) return "";
    const ask = `fetch("http://127.0.0.1:8222${path}").then((it) => it.text()).then((it) => process.stdout.write(it), () => {})`;
    const inside = ["-t", String(pid), "-n", process.execPath, "-e", ask];
    return (await run("nsenter", inside, { timeout: 10_000 }).catch(() => ({ stdout: "" }))).stdout;
  }

  /** Rules of the container's own network, set from outside by root. */
  async iptables(service: string, ...rule: string[]): Promise<void> {
    const { pid } = await this.place(service);
    await run("nsenter", ["-t", String(pid), "-n", "iptables", "-w", ...rule]);
  }

  /** Replaces a service's container by one of another image; its data stay. */
  async upgrade(service: string, image: string): Promise<void> {
    this.#environment = { ...this.#environment, STEPPE_IMAGE: image };
    await this.compose("up", "-d", "--no-build", "--no-deps", service);
    this.#urls.delete(service);
  }

  /** Puts a server's wall clock that many seconds off; 0: right again. It notices within a second. */
  setClock(server: string, seconds: number): void {
    if (this.#folder === "") throw new Error("a cluster that was attached to keeps its clocks");
    writeFileSync(clockFile(this.#folder, server), offset(seconds));
  }

  /** Starts the profile's Prometheus; resolves with its address, once it answers. `image`: instead of the public one. */
  async startPrometheus(image: string): Promise<string> {
    const profiles = [this.#environment.COMPOSE_PROFILES, "monitoring"].filter((it) => it !== "").join(",");
    this.#environment = { ...this.#environment, COMPOSE_PROFILES: profiles, PROMETHEUS_IMAGE: image };
    await this.compose("up", "-d", "--no-build", "--no-deps", "prometheus");
    const url = `http://${await this.address("prometheus", "us")}:9090`;
    await eventually("Prometheus is ready", 60_000, async () => {
      const { status, text } = await call("GET", `${url}/-/ready`, undefined, { timeoutMs: 2_000 });
      if (status !== 200) throw new Error(text);
    });
    return url;
  }

  async leader(region: Region): Promise<string> {
    for (const server of this.names(region, "server")) {
      try {
        const { body } = await call("GET", `${await this.url(server)}/v1/status/leader?stale`, undefined, {
          timeoutMs: 2_000,
        });
        if (typeof body === "string" && body !== "") return body.split(":")[0] as string;
      } catch {
        // The next one may know.
      }
    }
    throw new Error(`nobody leads ${region}`);
  }

  /** The NATS node that leads the region's stream. */
  async streamLeader(region: Region): Promise<string> {
    return eventually(`${region}'s stream has a leader`, 20_000, async () => {
      for (const node of this.names(region, "nats")) {
        const text = await this.monitor(node, "/jsz?streams=1");
        // A node that is down or busy says nothing.
        const details: Json[] = text.startsWith("{") ? (JSON.parse(text).account_details ?? []) : [];
        const streams: Json[] = details.flatMap((account) => account.stream_detail ?? []);
        const leader = streams.find(({ name }) => String(name).startsWith("STEPPE_"))?.cluster?.leader;
        if (leader) return leader as string;
      }
      throw new Error("no node knows it");
    });
  }

  /** Mends whatever a scenario that failed left broken. */
  async restore(): Promise<void> {
    for (const service of REGIONS.flatMap((region) => this.all(region))) {
      const { State } = await this.#container(service).inspect();
      if (State.Paused) await this.resume(service);
      else if (!State.Running) await this.start(service);
      for (const chain of ["INPUT", "OUTPUT"]) await this.iptables(service, "-F", chain);
      if (this.#folder !== "" && service.includes("-server-")) this.setClock(service, 0);
      const { addresses } = await this.place(service);
      if (service.includes("-server-") && (addresses.wan ?? "") === "") await this.connect(service, "wan");
    }
    await this.ready();
  }

  /** Every server of every region answers, is led, and knows all regions; every node is ready. */
  async ready(timeoutMs: number = START_TIMEOUT_MS): Promise<void> {
    await Promise.all(this.#regions.map((region) => this.#regionReady(region, timeoutMs)));
  }

  async #regionReady(region: Region, timeoutMs: number): Promise<void> {
    const begun = new Date();
    try {
      await this.#untilReady(region, timeoutMs);
    } catch (error) {
      // Its containers are gone before anybody can look.
      for (const service of [...this.names(region, "nats"), ...this.names(region, "server")])
        process.stderr.write(`${service}, last:\n${(await this.output(service, begun)).slice(-LAST_WORDS)}\n`);
      throw error;
    }
  }

  async #untilReady(region: Region, timeoutMs: number): Promise<void> {
    await eventually(`region ${region} is ready`, timeoutMs, async () => {
      for (const server of this.names(region, "server")) {
        const url = await this.url(server);
        const regions = await call<Json>("GET", `${url}/v1/regions`, undefined, { timeoutMs: 3_000 });
        if (regions.status !== 200 || regions.body.length !== this.#regions.length)
          throw new Error(`${server}: ${regions.text}`);
        const nodes = await call<Json[]>("GET", `${url}/v1/nodes`, undefined, { timeoutMs: 3_000 });
        const ready = nodes.status === 200 ? nodes.body.filter((node) => node.Status === "ready").length : 0;
        if (ready < this.#shape.client) throw new Error(`${server}: ${ready} nodes ready`);
      }
    });
  }

  async compose(...args: string[]): Promise<void> {
    const { command, words, options } = this.#composing(args);
    await run(command, words, options);
  }

  #composing(args: readonly string[]) {
    const [command = "", ...first] = composeCommand();
    const file = ["-p", this.project, "-f", join(ROOT, "deploy/compose.yaml")];
    const options = { env: { ...process.env, ...this.#environment }, maxBuffer: 64 * 1024 * 1024 };
    return { command, words: [...first, ...file, ...args], options };
  }

  /** Thirty containers that nobody looks after would keep the machine busy for ever. */
  #abandon(signal: NodeJS.Signals): void {
    const { command, words, options } = this.#composing(["down", "-v", "-t", "0"]);
    execFileSync(command, words, { ...options, stdio: "ignore" });
    rmSync(this.#folder, { recursive: true, force: true });
    process.exit(signal === "SIGINT" ? 130 : 143);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder === "") return;
    const engine = this.#runtime.container.dockerode;
    const filters = { label: [`com.docker.compose.project=${this.project}`] };
    const containers = await engine.listContainers({ all: true, filters });
    await Promise.all(containers.map(({ Id }) => engine.getContainer(Id).remove({ force: true, v: true })));
    const { Volumes } = await engine.listVolumes({ filters });
    await Promise.all(Volumes.map(({ Name }) => engine.getVolume(Name).remove()));
    for (const { Id, Name } of await engine.listNetworks({ filters })) {
      await engine
        .getNetwork(Id)
        .remove()
        .catch((error) => this.#keepMiscounted(Name, error));
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * Engines before 28 count a network's endpoints apart from the endpoints, can lose count when containers start or
   * stop together, and then keep the network until they are started again: https://github.com/moby/moby/issues/42119.
   * Throws `error` if it is about anything else.
   */
  async #keepMiscounted(network: string, error: Error): Promise<void> {
    if (!error.message.includes("has active endpoints")) throw error;
    const { Containers } = await this.#runtime.container.dockerode.getNetwork(network).inspect();
    if (Object.keys(Containers ?? {}).length > 0) throw error;
    process.stderr.write(`the engine lost count of ${network}'s endpoints: it goes when the engine is started again\n`);
  }

  #container(service: string) {
    // `docker compose` joins names with a dash, docker-compose 1 with an underscore.
    const joint = composeCommand()[0] === "docker" ? "-" : "_";
    return this.#runtime.container.getById(`${this.project}${joint}${service}${joint}1`);
  }
}

function regionOf(service: string): Region {
  return service.slice(0, 2) as Region;
}

let composing: string[] | undefined;

function composeCommand(): string[] {
  composing ??= [["docker", "compose"], ["docker-compose"]].find(([command = "", ...first]) =>
    works(command, ...first, "version"),
  );
  if (composing === undefined) {
    throw new Error(
      "neither `docker compose` nor docker-compose is installed (Debian: apt-get install docker-compose)",
    );
  }
  return composing;
}

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function clockFile(folder: string, server: string): string {
  return join(folder, "config/clock", server);
}

/** As libfaketime reads it. */
function offset(seconds: number): string {
  return `${seconds < 0 ? "" : "+"}${seconds}\n`;
}

function writeConfig(folder: string, tls: boolean): void {
  cpSync(join(ROOT, "deploy/config"), folder, { recursive: true });
  for (const role of ["server", "worker", "client"]) {
    const file = join(folder, `${role}.hcl`);
    const text = readFileSync(file, "utf8");
    // Blocks named tls, with those inside nats, go.
    const plain = tls ? text : text.replace(/^( *)tls \{\n[\s\S]*?^\1\}\n/gm, "");
    writeFileSync(file, role === "server" ? plain + SERVER_TIMES : plain);
  }
}
