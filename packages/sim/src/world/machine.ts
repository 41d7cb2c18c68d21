// What processes run on: it outlives them, starts them again when they end, and keeps their clocks' faults.
import { simulateNodes } from "@steppe/client";
import { LogGapError, SnapshotFolder } from "@steppe/log";
import { FileError, SteppeError } from "@steppe/model";
import {
  type AgentConfig,
  compactHere,
  connectOverGrpc,
  devConfig,
  openReplica,
  type RegionEnds,
  type Server,
  ServerKeeper,
  type StartNeeds,
  serverFolder,
  settleAndFollow,
  startServer,
  startWorkers,
} from "@steppe/server";
import { DigestMismatchError, type StateView } from "@steppe/state";
import { SimDisk } from "../disk/disk.ts";
import { Life, type Skew } from "../kernel/life.ts";
import type { SeededRandom } from "../kernel/random.ts";
import { openLogEnd } from "../log/log-end.ts";
import { openLogsEnd } from "../log/logs-end.ts";
import { LogRequests } from "../log/requests.ts";
import { keptLog } from "./kept-log.ts";
import type { Region, World } from "./world.ts";

type RegionNeeds = Parameters<typeof settleAndFollow>[0];

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
  /** Epoch of the log that it opened last. */
  follows = 0;
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

  /** A process that has no log to read, or no disk to write to, ends itself, to be tried again. */
  #cannotStart(life: Life, error: unknown): void {
    const isNoLog = error instanceof SteppeError && error.code === "no-quorum";
    if (!isNoLog && !(error instanceof FileError)) this.fatal(life, error);
    else if (life.isAlive) {
      this.world.tell(`${this.name} cannot start: ${messageOf(error)}`);
      life.end();
    }
  }

  /** The process ends itself, as it should on an error that it cannot go on with. */
  protected fatal(life: Life, error: unknown): void {
    if (!life.isAlive) return;
    this.world.tell(`${this.name} cannot go on: ${messageOf(error)}`);
    if (!this.mayEndOn(error)) this.world.fatal(this, error);
    life.end();
  }

  /** One that fell behind a cut of the log starts again from the snapshot. */
  protected mayEndOn(error: unknown): boolean {
    return error instanceof LogGapError;
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

/** A record that a machine holds. */
interface Held {
  readonly epoch: number;
  readonly index: number;
}

export class ServerMachine extends Machine {
  readonly kind = "server";
  readonly disk: SimDisk;
  /** The one that was started last, also while it closes. */
  server: Server | undefined;
  /** The last record that it applied and has on its disk, durably, if it keeps a journal. */
  #held: Held | undefined;
  #keeper: ServerKeeper | undefined;

  constructor(...made: ConstructorParameters<typeof Machine>) {
    super(...made);
    this.disk = new SimDisk(this.random.child("disk"), this.world.kernel);
  }

  get address(): string {
    return `${this.name}:4647`;
  }

  get held(): Held | undefined {
    return this.#held;
  }

  /** It serves: what it follows is settled. */
  get serves(): boolean {
    return this.life !== undefined && this.#keeper?.server !== undefined;
  }

  override start(): void {
    // What a dead process asked of the disk is done before another starts.
    const busyMs = this.disk.busyUntilMs - this.world.kernel.nowMs;
    if (busyMs < 0) super.start();
    else this.world.kernel.after(busyMs + 1, `${this.name} start`, () => this.start());
  }

  /** Power is lost; with `replaced`, there is a new and empty disk when it is back. */
  losePower(forMs: number, replaced = false): void {
    this.crash(forMs);
    this.disk.losePower();
    if (!replaced) return;
    this.disk.wipe();
    this.#held = undefined;
  }

  /** Stops as on SIGTERM, then starts again. */
  async restart(): Promise<void> {
    const { life } = this;
    if (life === undefined || this.#keeper === undefined) return;
    this.world.tell(`${this.name} restarts`);
    await this.#keeper.close();
    life.end();
  }

  protected override async run(life: Life): Promise<void> {
    const { world, region } = this;
    const config = serverConfig(this);
    const clock = world.parts.clock(life.clock, life);
    const { random, logger } = life;
    const listen = world.grpc.listen(life, this.address);
    const witnessed = region.witnessed(this);
    let view: StateView | undefined;
    const apply: typeof witnessed = (state, index, entry) => {
      view = state;
      return witnessed(state, index, entry);
    };
    const kept = (index: number) => {
      this.#held = { epoch: this.follows, index };
      if (view !== undefined) region.kept(life, view, index);
    };
    const open = async (needs: RegionNeeds) => {
      const isJournaled = config.server.durability === "journal";
      const ends = await (isJournaled ? journaled(this, life, needs) : trusted(this, life));
      return { ...ends, log: keptLog(ends.log, kept) };
    };
    const start = async ({ signal, lost, onFatal }: StartNeeds) => {
      const server = await startServer({
        ...{ config, clock, random, logger, httpPort: 4646, signal, lost, apply },
        openRegion: open,
        channels: world.grpc.channels(life),
        listen: (served) => listen(world.parts.serve(served, life)),
        onFatal: (error) => {
          if (life.isAlive) world.tell(`${this.name} stops serving: ${messageOf(error)}`);
          onFatal(error);
        },
      });
      if (life.isAlive) this.server = server;
      return server;
    };
    this.#keeper = new ServerKeeper(start, { clock, logger, onFatal: (error) => this.fatal(life, error) });
    await this.#keeper.start();
  }

  protected override onEnd(): void {
    this.server = undefined;
    this.#keeper = undefined;
  }
}

/** A process that only schedules. */
export class WorkerMachine extends Machine {
  readonly kind = "worker";

  protected override mayEndOn(error: unknown): boolean {
    return (error instanceof DigestMismatchError && isAstray(this)) || super.mayEndOn(error);
  }

  protected override async run(life: Life): Promise<void> {
    const { world, region, name } = this;
    const clock = world.parts.clock(life.clock, life);
    const shared = { clock, random: life.random, logger: life.logger };
    const { replica, bus } = await openReplica({
      ...shared,
      config: serverConfig(this),
      openRegion: () => trusted(this, life),
      apply: region.witnessed(this),
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

/**
 * A worker compares nothing before it follows a log: one that lost records may bring it others than its snapshot has. It
 * serves nobody, and what it plans is checked against the log.
 */
export function isAstray({ kind, follows, region }: Machine): boolean {
  return kind === "worker" && region.logs.hasLost(follows);
}

/** Of a process that trusts the log alone. */
async function trusted(machine: Machine, life: Life): Promise<RegionEnds> {
  const { region, world } = machine;
  const requests = new LogRequests(life, region.logs, world.network);
  const end = await openLogEnd(requests, undefined, machine.kind === "server");
  machine.follows = end.identity.epoch;
  return {
    log: world.parts.log(end, life),
    bus: region.bus.connect(life),
    kind: "simulated",
    closeTransport: async () => undefined,
  };
}

/** Of a server that keeps a journal. */
async function journaled(machine: ServerMachine, life: Life, needs: RegionNeeds): Promise<RegionEnds> {
  const { region, world } = machine;
  const { parts, network } = world;
  const files = parts.files(machine.disk.files(life), life);
  const requests = () => new LogRequests(life, region.logs, network);
  return await settleAndFollow(needs, files, async () => ({
    logs: openLogsEnd(requests()),
    bus: parts.bus(region.bus.connect(life), life),
    openLog: async (identity) => {
      machine.follows = identity.epoch;
      return parts.log(await openLogEnd(requests(), identity), life);
    },
    kind: "simulated",
    compact: compactHere(
      files,
      new SnapshotFolder(files, `${serverFolder(needs.config.dataDir)}/snapshots`, life.logger),
    ),
    close: async () => undefined,
  }));
}

function serverConfig({ name, region, world }: Machine): AgentConfig {
  const { config } = devConfig({ region: region.name, name, ports: { http: 4646, rpc: 4647 } }, MACHINE);
  const here = (port: number) => ({ host: name, port });
  return {
    ...config,
    advertise: { http: here(4646), rpc: here(4647) },
    server: {
      ...{ ...config.server, ...TIMES, ...world.options.server },
      bootstrapExpect: region.servers.length,
      join: world.joinOf(region),
    },
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
