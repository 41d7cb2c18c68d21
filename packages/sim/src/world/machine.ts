// What processes run on: it outlives them, starts them again when they end, and keeps their clocks' faults.
import { simulateNodes } from "@steppe/client";
import { LogGapError } from "@steppe/log";
import { SteppeError } from "@steppe/model";
import type { RegionEnds } from "@steppe/server";
import {
  type AgentConfig,
  connectOverGrpc,
  devConfig,
  openReplica,
  type Server,
  startServer,
  startWorkers,
} from "@steppe/server";
import { Life, type Skew } from "../kernel/life.ts";
import type { SeededRandom } from "../kernel/random.ts";
import { LogEnd } from "../log/log-end.ts";
import type { Region, World } from "./world.ts";

export type MachineKind = "server" | "worker" | "node";

/** How long a supervisor waits before it starts a process that ended by itself, milliseconds. */
const RESTART_MS = [300, 1500] as const;

/** Short times, so that a run of a minute sees what takes minutes elsewhere. */
const TIMES = {
  heartbeatGraceMs: 2000,
  minHeartbeatTtlMs: 2000,
  failoverHeartbeatTtlMs: 6000,
  leaseTtlMs: 3000,
  evalNackTimeoutMs: 5000,
};

export abstract class Machine {
  readonly name: string;
  readonly region: Region;
  readonly world: World;
  readonly skew: Skew;
  readonly random: SeededRandom;
  abstract readonly kind: MachineKind;
  #life: Life | undefined;
  #lives = 0;
  #isDown = false;

  constructor(world: World, region: Region, name: string, skew: Skew) {
    this.world = world;
    this.region = region;
    this.name = name;
    this.skew = skew;
    this.random = world.random.child(name);
  }

  get life(): Life | undefined {
    return this.#life?.isAlive === true ? this.#life : undefined;
  }

  start(): void {
    this.#isDown = false;
    if (this.life !== undefined) return;
    this.#lives += 1;
    const { kernel } = this.world;
    const name = `${this.name}#${this.#lives}`;
    const logger = this.world.logger(name);
    const life = new Life({
      name: this.name,
      kernel,
      random: this.random.child(String(this.#lives)),
      logger,
      skew: this.skew,
    });
    this.#life = life;
    life.onEnd(() => this.#ended(life));
    life.post(kernel.nowMs, "starts", () => {
      this.run(life).catch((error: unknown) => this.#cannotStart(life, error));
    });
  }

  /** Ends at once; starts again after `forMs`, unless somebody starts it before. */
  crash(forMs: number): void {
    this.world.tell(`${this.name} crashes`);
    this.#isDown = true;
    this.life?.end();
    this.world.kernel.after(forMs, `${this.name} restart`, () => this.start());
  }

  /** A process that isOther no log to read ends itself, to be tried again. */
  #cannotStart(life: Life, error: unknown): void {
    const isOther = !(error instanceof SteppeError && error.code === "no-quorum");
    if (isOther) this.fatal(life, error);
    else if (life.isAlive) {
      this.world.tell(`${this.name} cannot start: ${error.message}`);
      life.end();
    }
  }

  /** The process ends itself, as it should on an error that it cannot go on with. */
  protected fatal(life: Life, error: unknown): void {
    if (!life.isAlive) return;
    this.world.tell(`${this.name} cannot go on: ${messageOf(error)}`);
    // One that fell behind a cut of the log starts again from the snapshot.
    if (!(error instanceof LogGapError)) this.world.fatal(this, error);
    life.end();
  }

  /** Resolves when started. */
  protected abstract run(life: Life): Promise<void>;

  protected onEnd(): void {}

  #ended(life: Life): void {
    if (this.#life !== life) return;
    this.onEnd();
    if (this.#isDown) return;
    const ms = this.random.between(...RESTART_MS);
    this.world.kernel.after(ms, `${this.name} restart`, () => {
      if (!this.#isDown) this.start();
    });
  }
}

export class ServerMachine extends Machine {
  readonly kind = "server";
  server: Server | undefined;

  get address(): string {
    return `${this.name}:4647`;
  }

  /** Stops as on SIGTERM, then starts again. */
  async restart(): Promise<void> {
    const { server, life } = this;
    if (server === undefined || life === undefined) return;
    this.world.tell(`${this.name} restarts`);
    await server.close();
    life.end();
  }

  protected override async run(life: Life): Promise<void> {
    const { world, region } = this;
    const config = serverConfig(this);
    const clock = world.parts.clock(life.clock, life);
    const listen = world.grpc.listen(life, this.address);
    const server = await startServer({
      ...{ config, clock, random: life.random, logger: life.logger, httpPort: 4646 },
      openRegion: async () => ends(this, life),
      apply: region.witnessed(this, life),
      channels: world.grpc.channels(life),
      listen: (served) => listen(world.parts.serve(served, life)),
      onFatal: (error) => this.fatal(life, error),
    });
    if (life.isAlive) this.server = server;
  }

  protected override onEnd(): void {
    this.server = undefined;
  }
}

/** A process that only schedules. */
export class WorkerMachine extends Machine {
  readonly kind = "worker";

  protected override async run(life: Life): Promise<void> {
    const { world, region, name } = this;
    const clock = world.parts.clock(life.clock, life);
    const shared = { clock, random: life.random, logger: life.logger };
    const { replica, bus } = await openReplica({
      ...shared,
      config: serverConfig(this),
      openRegion: async () => ends(this, life),
      apply: region.witnessed(this, life),
      onFatal: (error) => this.fatal(life, error),
    });
    startWorkers(
      { count: 1, types: ["service", "batch", "system", "sysbatch"] },
      {
        ...shared,
        name: `${name}.${region.name}`,
        replica,
        bus,
      },
    );
  }
}

/** A node whose tasks run in name only; its session with the servers is the real one. */
export class NodeMachine extends Machine {
  readonly kind = "node";
  nodeId = "";

  protected override async run(life: Life): Promise<void> {
    const { world, region } = this;
    const { clock, random, logger } = life;
    const nodes = simulateNodes({
      ...{ clock, random, logger, count: 1, cpu: world.options.nodeCpu, memoryMb: 8192, namePrefix: this.name },
      seed: this.random.child("identity").bytes(16),
      servers: region.servers.map(({ address }) => address),
      connect: connectOverGrpc(region.name, world.grpc.channels(life)),
    });
    this.nodeId = nodes.nodeIds[0] ?? "";
    await nodes.start();
  }
}

function ends(machine: Machine, life: Life): RegionEnds {
  const { region, world } = machine;
  return {
    log: world.parts.log(new LogEnd(life, region.stream, world.network), life),
    bus: region.bus.connect(life),
    kind: "simulated",
    closeTransport: async () => undefined,
  };
}

function serverConfig({ name, region, world }: Machine): AgentConfig {
  const { config } = devConfig({ region: region.name, name, ports: { http: 4646, rpc: 4647 } }, MACHINE);
  const here = (port: number) => ({ host: name, port });
  return {
    ...config,
    advertise: { http: here(4646), rpc: here(4647) },
    server: { ...config.server, ...TIMES, ...world.options.server, join: world.joinOf(region) },
    client: { ...config.client, enabled: false },
  };
}

const MACHINE = {
  hostname: "sim",
  interfaces: [{ name: "lo", address: "127.0.0.1", family: "IPv4", internal: true }],
} as unknown as Parameters<typeof devConfig>[1];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
