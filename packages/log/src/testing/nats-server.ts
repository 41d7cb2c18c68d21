import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface NatsServerOptions {
  /** Where streams are kept. Default: a fresh folder, removed when the server is disposed. */
  readonly storeDir?: string;
  readonly name?: string;
  readonly cluster?: { readonly name: string; readonly port: number; readonly routes: readonly string[] };
  /** More arguments of nats-server, such as `["-c", file]`. */
  readonly args?: readonly string[];
}

/** A nats-server process with JetStream, on loopback. Its port stays the same over restarts. */
export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  /** Of the process that runs now; undefined when it is stopped. */
  readonly pid: number | undefined;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
  /** SIGSTOP, then waits until it stands still: connections stay open and nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** Starts it again on the same port and files; stops it first when it runs. */
  restart(): Promise<void>;
  /** What the process wrote so far, for a test that failed. */
  output(): string;
}

export interface NatsCluster extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  readonly urls: readonly string[];
}

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 15_000;
const START_ATTEMPTS = 3;

/** Starts one nats-server and waits until it takes connections. */
export async function startNats(options: NatsServerOptions = {}): Promise<NatsServer> {
  const binary = findBinary();
  const temporary = options.storeDir === undefined;
  const storeDir = options.storeDir ?? (await mkdtemp(join(tmpdir(), "steppe-nats-")));
  await mkdir(storeDir, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const server = new NatsProcess(binary, await freePort(), storeDir, temporary, options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.kill();
      // Between the choice of a port and its use, somebody else may have taken it.
      if (attempt === START_ATTEMPTS || !server.output().includes("address already in use")) throw error;
    }
  }
}

/** Starts `size` servers that form one cluster; a stream of as many replicas can be made on it. */
export async function startNatsCluster(size: number, name = "steppe-test"): Promise<NatsCluster> {
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
  const servers = await Promise.all(
    ports.map((port, i) => startNats({ name: `${name}-${i + 1}`, cluster: { name, port, routes } })),
  );
  return {
    servers,
    urls: servers.map((server) => server.url),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

class NatsProcess implements NatsServer {
  readonly port: number;
  readonly url: string;
  readonly storeDir: string;
  readonly #binary: string;
  readonly #temporary: boolean;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #output = "";

  constructor(binary: string, port: number, storeDir: string, temporary: boolean, options: NatsServerOptions) {
    this.#binary = binary;
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
    this.storeDir = storeDir;
    this.#temporary = temporary;
    this.#args = argumentsOf(port, storeDir, options);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const child = spawn(this.#binary, this.#args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    child.stdout.on("data", (text) => this.#keep(text));
    child.stderr.on("data", (text) => this.#keep(text));
    this.#exited = new Promise((resolve) => {
      const ended = (cause: unknown) => {
        if (cause instanceof Error) this.#keep(cause.message);
        process.off("exit", reap);
        this.#child = undefined;
        resolve();
      };
      child.once("exit", ended);
      child.once("error", ended);
    });
    // A test run that dies must not leave servers behind.
    const reap = () => child.kill("SIGKILL");
    process.once("exit", reap);
    await this.#ready();
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    this.#child?.kill("SIGCONT");
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  async pause(): Promise<void> {
    this.#child?.kill("SIGSTOP");
    // The signal is only on its way; each thread stops when it next runs.
    while (!(await standsStill(this.#child?.pid))) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  output(): string {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#temporary) await rm(this.storeDir, { recursive: true, force: true });
  }

  #keep(text: unknown): void {
    this.#output = (this.#output + String(text)).slice(-64 * 1024);
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await greets(this.port))) {
      if (this.#child === undefined) throw new Error(`nats-server ended while starting:\n${this.#output}`);
      if (performance.now() > deadline) {
        throw new Error(`nats-server took no connections within ${READY_TIMEOUT_MS} ms:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

function argumentsOf(port: number, storeDir: string, { name, cluster, args = [] }: NatsServerOptions): string[] {
  const list = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", storeDir, "-n", name ?? `nats-${port}`];
  if (cluster !== undefined) {
    list.push("--cluster_name", cluster.name, "--cluster", `nats://127.0.0.1:${cluster.port}`);
    list.push("--routes", cluster.routes.join(","));
  }
  return [...list, ...args];
}

/** Whether a NATS server says INFO on the port. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => end(data.toString().startsWith("INFO ")));
    socket.once("error", () => end(false));
    socket.setTimeout(1000, () => end(false));
  });
}

/** Path of nats-server, or undefined where there is none. */
export function findNatsServer(): string | undefined {
  const chosen = process.env.NATS_SERVER;
  if (chosen !== undefined) return chosen;
  // Debian puts it where only root's PATH looks.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, "nats-server")).find((path) => existsSync(path));
}

/** Whether every thread of the process is stopped, as far as the system tells (Linux does), or it is gone. */
async function standsStill(pid: number | undefined): Promise<boolean> {
  if (pid === undefined) return true;
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const states = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8")));
    return states.every((stat) => stat.slice(stat.lastIndexOf(")") + 2).startsWith("T"));
  } catch {
    return true;
  }
}

function findBinary(): string {
  const found = findNatsServer();
  if (found === undefined) throw new Error("nats-server is not installed: run `npm run setup`");
  return found;
}

/** A port of loopback that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
