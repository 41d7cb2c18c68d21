// A world of regions: machines, network, logs, and the judges that watch them.
import type { Logger } from "@steppe/model";
import type { StateView } from "@steppe/state";
import { BlockingJudge } from "../checks/blocking.ts";
import type { Durability } from "../faults/faults.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { Life, Skew } from "../kernel/life.ts";
import { type SeededRandom, seededRandom } from "../kernel/random.ts";
import { LogStore } from "../log/store.ts";
import { BusHub } from "../network/bus.ts";
import { GrpcNet } from "../network/grpc.ts";
import { Network } from "../network/network.ts";
import { isAstray, type Machine, NodeMachine, ServerMachine, WorkerMachine } from "./machine.ts";
import type { Parts } from "./parts.ts";
import { Witness } from "./witness.ts";

export interface RegionShape {
  readonly name: string;
  readonly servers: number;
  readonly workers: number;
  readonly nodes: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly regions: readonly RegionShape[];
  readonly parts: Parts;
  readonly server: {
    readonly snapshotEntries: number;
    readonly numSchedulers: number;
    /** "journal": servers have disks. */
    readonly durability: Durability;
  };
  /** MHz a node. */
  readonly nodeCpu: number;
  /** Largest difference of a machine's wall clock, milliseconds, and of its rate. */
  readonly skewMs: number;
  readonly drift: number;
  /** Also what the processes log, at warn and above. */
  readonly verbose?: boolean;
}

export interface Failure {
  readonly check: string;
  readonly text: string;
  readonly atMs: number;
}

/** Lines of the trace that are kept. */
const TRACE_MAX = 4000;

export class World {
  readonly options: WorldOptions;
  readonly parts: Parts;
  readonly kernel: Kernel = new Kernel();
  readonly random: SeededRandom;
  readonly network: Network;
  readonly grpc: GrpcNet;
  readonly regions: readonly Region[];
  readonly failures: Failure[] = [];
  readonly trace: string[] = [];
  readonly blocking: BlockingJudge;
  /** Errors that a process may end itself on. */
  readonly fatals: string[] = [];

  constructor(options: WorldOptions) {
    this.options = options;
    this.parts = options.parts;
    this.random = seededRandom(`seed ${options.seed}`);
    this.network = new Network(this.kernel, this.random.child("network"), regionOf);
    this.grpc = new GrpcNet(this.network);
    this.blocking = new BlockingJudge(this.kernel, (text) => this.fail("blocking", text));
    this.grpc.watch = this.blocking;
    this.regions = options.regions.map((shape) => new Region(this, shape));
    this.kernel.afterEvent = () => this.#checkLeaders();
  }

  get machines(): Machine[] {
    return this.regions.flatMap((region) => region.machines);
  }

  start(): void {
    for (const machine of this.machines) machine.start();
  }

  tell(text: string): void {
    this.trace.push(`${(this.kernel.nowMs / 1000).toFixed(3).padStart(8)} s  ${text}`);
    if (this.trace.length > TRACE_MAX) this.trace.splice(0, TRACE_MAX / 2);
  }

  fail(check: string, text: string): void {
    this.tell(`FAILED ${check}: ${text}`);
    this.failures.push({ check, text, atMs: this.kernel.nowMs });
  }

  fatal(machine: Machine, error: unknown): void {
    this.fail(
      "fatal",
      `${machine.name} ended itself: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  }

  logger(name: string): Logger {
    const write = (level: string) => (fields: object, message: string) => {
      if (this.options.verbose) this.tell(`${name} ${level}: ${message} ${describe(fields)}`);
    };
    const quiet = () => undefined;
    const logger: Logger = {
      debug: quiet,
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: () => logger,
    };
    return logger;
  }

  /** Servers of other regions that those of this one know from the start. */
  joinOf(region: Region): string[] {
    return this.regions
      .filter((other) => other !== region)
      .flatMap((other) => other.servers.map(({ address }) => address));
  }

  /** No two servers of a region act as its leader at one time, but one that stood still and has not looked at its clock. */
  #checkLeaders(): void {
    for (const { servers, name } of this.regions) {
      let leader: ServerMachine | undefined;
      for (const machine of servers) {
        const { life, server } = machine;
        if (life === undefined || server?.leadership.term === undefined) continue;
        if (life.isPaused || this.kernel.nowMs < life.lateUntilMs + 20) continue;
        if (leader !== undefined) this.fail("lease", `${leader.name} and ${machine.name} both lead ${name}`);
        leader = machine;
      }
    }
  }
}

export class Region {
  readonly name: string;
  readonly logs: LogStore;
  readonly bus: BusHub;
  readonly witness: Witness;
  readonly servers: readonly ServerMachine[];
  readonly workers: readonly WorkerMachine[];
  readonly nodes: readonly NodeMachine[];
  readonly #world: World;

  constructor(world: World, { name, servers, workers, nodes }: RegionShape) {
    const place = `${name}-nats`;
    this.#world = world;
    this.name = name;
    this.bus = new BusHub(place, world.network, world.random.child(`${place} bus`));
    const fail = (check: string, text: string) => world.fail(check, `${name}: ${text}`);
    this.witness = new Witness(world.parts.apply, fail, () => this.logs.isLost);
    this.logs = new LogStore(place, world.random.child(place), {
      begun: (identity, snapshot) => {
        world.tell(`log ${identity.epoch} of ${name} begins behind ${identity.base}`);
        return this.witness.begun(identity, snapshot);
      },
      stored: (before, index, payload) => {
        const term = this.witness.state.lease?.Term;
        const tip = this.witness.stored(before, index, payload);
        const { lease } = this.witness.state;
        if (lease !== undefined && lease.Term !== term)
          world.tell(`${lease.Holder} leads ${name} in term ${lease.Term} (entry ${index})`);
        return tip;
      },
    });
    const skew = (machine: string): Skew => {
      const random = world.random.child(`skew ${machine}`);
      const { skewMs, drift } = world.options;
      return { wallMs: random.between(-skewMs, skewMs), rate: 1 + random.between(-drift, drift) };
    };
    const make = <T>(count: number, kind: string, of: (name: string, skew: Skew) => T) =>
      Array.from({ length: count }, (_, n) => of(`${name}-${kind}${n}`, skew(`${name}-${kind}${n}`)));
    this.servers = make(servers, "server", (it, its) => new ServerMachine(world, this, it, its));
    this.workers = make(workers, "worker", (it, its) => new WorkerMachine(world, this, it, its));
    this.nodes = make(nodes, "node", (it, its) => new NodeMachine(world, this, it, its));
  }

  get machines(): Machine[] {
    return [...this.servers, ...this.workers, ...this.nodes];
  }

  /** `apply` for that machine's replica, with every step compared. */
  witnessed(machine: Machine): Parts["apply"] {
    return (state, index, entry) => {
      const applied = this.#world.parts.apply(state, index, entry);
      if (!isAstray(machine)) this.witness.compare(machine, index, state.digest.value);
      return applied;
    };
  }

  /** That server's replica has applied and kept the entry: from now on it is served. */
  kept(life: Life, view: StateView, index: number): void {
    this.witness.served(index);
    this.#world.blocking.kept(life, view);
  }
}

/** Places are named after their region: "eu-server0", "eu-nats". */
export function regionOf(place: string): string {
  return place.slice(0, place.indexOf("-"));
}

function describe(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? chain(value) : JSON.stringify(value)}`)
    .join(" ");
}

function chain(error: Error): string {
  return error.cause instanceof Error ? `${error.message} < ${chain(error.cause)}` : error.message;
}
