/**
 * Faults as data: what goes wrong, with whom, when and for how long. A run's faults are drawn before it starts, so that a
 * run that fails can be tried again with fewer of them.
 */

import type { FileErrorCode } from "@steppe/model";
import type { SeededRandom } from "../kernel/random.ts";
import type { LogFault } from "../log/store.ts";
import type { Disturbance } from "../network/network.ts";
import type { Machine } from "../world/machine.ts";
import { ServerMachine } from "../world/machine.ts";
import { type Region, type RegionShape, regionOf, type World } from "../world/world.ts";
import { type LogLoss, loseLog, mayLoseDisk, scheduleBackups } from "./log-loss.ts";

export type Fault = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: "crash"; readonly machine: string }
  /** Dies at its so-and-so-many-th effect from then on, before or after it. */
  | { readonly kind: "die-at-effect"; readonly machine: string; readonly count: number }
  | { readonly kind: "restart"; readonly machine: string }
  | { readonly kind: "pause"; readonly machine: string }
  | { readonly kind: "slow"; readonly machine: string; readonly byMs: number }
  | { readonly kind: "clock-jump"; readonly machine: string; readonly ms: number }
  /** Out: what it sends does not arrive. In: it hears nothing. */
  | { readonly kind: "cut-off"; readonly machine: string; readonly way: "out" | "in" | "both" }
  /** From the log and the bus only. */
  | { readonly kind: "cut-from-nats"; readonly machine: string; readonly way: "out" | "in" | "both" }
  | { readonly kind: "regions-apart"; readonly region: string; readonly way: "out" | "in" | "both" }
  /** What was not synced is gone, or something else. */
  | { readonly kind: "power-loss"; readonly machine: string }
  /** All servers of a region at once. */
  | { readonly kind: "blackout"; readonly region: string }
  /** It comes back with an empty one. */
  | { readonly kind: "disk-loss"; readonly machine: string }
  | { readonly kind: "bad-disk"; readonly machine: string; readonly failsWith: FileErrorCode }
  | { readonly kind: "slow-disk"; readonly machine: string; readonly byMs: number }
  | ({ readonly kind: "bad-network" } & Disturbance)
  | ({ readonly kind: "bad-log"; readonly region: string } & LogFault)
  /** Of what comes meanwhile, the next one has some; for a while it tells of `lag` records fewer than it has. */
  | { readonly kind: "leader-change"; readonly region: string; readonly kept: number; readonly lag: number }
  | LogLoss
);

export type FaultKind = Fault["kind"];

const WAYS = ["out", "in", "both", "both"] as const;

/** Whether servers have disks: a share of what goes wrong is then with those. */
export type Durability = "journal" | "log";

/** Draws what goes wrong between `fromMs` and `untilMs`. */
export function drawFaults(
  random: SeededRandom,
  regions: readonly RegionShape[],
  durability: Durability,
  fromMs: number,
  untilMs: number,
): readonly Fault[] {
  if (durability === "journal" && random.chance(BEHIND_SHARE)) return drawOneBehind(random, regions, fromMs, untilMs);
  const count = 2 + random.below(9);
  const draw = () =>
    durability === "journal" && random.chance(DISK_SHARE)
      ? drawDiskFault(random, regions, fromMs, untilMs)
      : drawFault(random, regions, fromMs, untilMs);
  const faults = Array.from({ length: count }, draw);
  if (durability === "journal" && random.chance(LOSS_SHARE)) {
    for (let n = random.pick([1, 1, 2]); n > 0; n--) faults.push(drawLogLoss(random, regions, fromMs, untilMs));
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

/** Of the runs in which servers have disks. */
const BEHIND_SHARE = 0.12;
const LOSS_SHARE = 0.5;

/** One server hears nothing for a while; before it does again, the log comes back without what the others took from it. */
function drawOneBehind(
  random: SeededRandom,
  regions: readonly RegionShape[],
  fromMs: number,
  untilMs: number,
): readonly Fault[] {
  const { name, servers } = random.pick(regions);
  const machine = `${name}-server${random.below(servers)}`;
  const lossMs = Math.round(random.between(fromMs + 4000, Math.max(fromMs + 4001, untilMs - 2000)));
  const loss: Fault = { ...drawLogLoss(random, regions, fromMs, untilMs), region: name, atMs: lossMs };
  const atMs = Math.round(lossMs - random.between(500, 3500));
  const forMs = Math.round(lossMs + loss.forMs - atMs + random.between(-200, 1500));
  const behind = random.pick<Fault>([
    { kind: "cut-from-nats", machine, way: random.pick(["in", "both"]), atMs, forMs },
    { kind: "pause", machine, atMs, forMs },
    { kind: "crash", machine, atMs, forMs },
    { kind: "slow-disk", machine, byMs: forMs, atMs, forMs },
  ]);
  return [behind, loss];
}
const HOW_LOST = ["tail", "tail", "tail", "emptied", "gone", "restored", "restored"] as const;

function drawLogLoss(
  random: SeededRandom,
  regions: readonly RegionShape[],
  fromMs: number,
  untilMs: number,
): Fault & LogLoss {
  const atMs = Math.round(random.between(fromMs + 1000, untilMs));
  const forMs = Math.round(random.between(100, 3000));
  const region = random.pick(regions).name;
  return { kind: "log-loss", region, how: random.pick(HOW_LOST), share: random.fraction(), atMs, forMs };
}

const DISK_SHARE = 0.3;
const DISK_CODES = ["full", "full", "failed", "read-only"] as const;

function drawDiskFault(random: SeededRandom, regions: readonly RegionShape[], fromMs: number, untilMs: number): Fault {
  const atMs = Math.round(random.between(fromMs, untilMs));
  const when = { atMs, forMs: Math.round(Math.min(untilMs - atMs, random.between(100, 8000))) };
  const region = random.pick(regions);
  const machine = `${region.name}-${random.pick([...many("server", region.servers), ...many(LEADER, region.servers)])}`;
  const draws: readonly (() => Fault)[] = [
    () => ({ kind: "power-loss", machine, ...when }),
    () => ({ kind: "power-loss", machine, ...when }),
    () => ({ kind: "blackout", region: region.name, ...when }),
    () => ({ kind: "disk-loss", machine, ...when }),
    () => ({ kind: "bad-disk", machine, failsWith: random.pick(DISK_CODES), ...when }),
    () => ({ kind: "slow-disk", machine, byMs: Math.round(random.between(20, 1500)), ...when }),
  ];
  return random.pick(draws)();
}

function drawFault(random: SeededRandom, regions: readonly RegionShape[], fromMs: number, untilMs: number): Fault {
  const atMs = Math.round(random.between(fromMs, untilMs));
  // A lease lasts 3 s: half of what goes wrong is over before one runs out.
  const drawnMs = random.chance(0.5) ? random.between(100, 3000) : random.between(3000, 10_000);
  const forMs = Math.round(Math.min(untilMs - atMs, drawnMs));
  const when = { atMs, forMs };
  /** Longer than a lease. */
  const awhile = { forMs: Math.round(Math.min(untilMs - atMs, random.between(3000, 9000))) };
  const region = random.pick(regions);
  // Whoever leads when it happens counts for as much as all others.
  const servers = [...many("server", region.servers), ...many("leader", region.servers)];
  const machines = [...servers, ...many("worker", region.workers), ...many("node", region.nodes)];
  const machine = `${region.name}-${random.pick(machines)}`;
  const server = `${region.name}-${random.pick(servers)}`;
  const way = random.pick(WAYS);
  const draws: readonly (() => Fault)[] = [
    () => ({ kind: "crash", machine, ...when }),
    () => ({ kind: "die-at-effect", machine, count: 1 + random.below(60), ...when }),
    () => ({ kind: "die-at-effect", machine: server, count: 1 + random.below(200), ...when }),
    () => ({ kind: "restart", machine: server, ...when }),
    () => ({ kind: "pause", machine, ...when }),
    () => ({ kind: "slow", machine, byMs: Math.round(random.between(5, 120)), ...when }),
    () => ({ kind: "clock-jump", machine, ms: Math.round(random.between(-20_000, 20_000)), ...when }),
    () => ({ kind: "cut-off", machine, way, ...when }),
    () => ({ kind: "cut-from-nats", machine: server, way, ...when }),
    () => ({ ...awhile, kind: "cut-from-nats", machine: `${region.name}-${LEADER}`, way, atMs }),
    () => ({ ...awhile, kind: "pause", machine: `${region.name}-${LEADER}`, atMs }),
    () => ({ kind: "regions-apart", region: region.name, way, ...when }),
    () => ({
      kind: "bad-network",
      loss: random.between(0, 0.3),
      late: random.between(0, 0.3),
      lateMs: random.between(5, 2000),
      ...when,
    }),
    () => ({ kind: "bad-log", region: region.name, stalled: true, ...when }),
    () => ({
      kind: "leader-change",
      region: region.name,
      kept: random.fraction(),
      lag: random.below(5),
      atMs,
      forMs: Math.round(random.between(300, 5000)),
    }),
    () => ({
      kind: "bad-log",
      region: region.name,
      ackLoss: random.between(0.05, 1),
      doubled: random.between(0, 0.5),
      ...when,
    }),
    () => ({
      kind: "bad-log",
      region: region.name,
      slowMs: random.between(10, 3000),
      doubled: random.between(0, 0.2),
      ...when,
    }),
  ];
  return random.pick(draws)();
}

function many(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => (kind === LEADER ? LEADER : `${kind}${n}`));
}

/** Stands for the server that holds the lease at that time. */
const LEADER = "leader";

/** How long a machine may take to be well again after a fault. */
const AFTERMATH_MS = 2500;
/** How long a loss may take to be noticed by all. */
const SETTLES_MS = 15_000;

/** How long one that was just elected may not know all that was stored. */
const NEW_LEADER_MS = 1500;

/** Makes the faults happen; `heal` ends all that are under way and starts what is down. */
export class Faults {
  readonly #world: World;
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #ends: Set<() => void> = new Set();
  readonly #faults: readonly Fault[];
  readonly #backups: ReturnType<typeof scheduleBackups>;
  #isHealing = false;

  constructor(world: World, faults: readonly Fault[]) {
    this.#world = world;
    this.#faults = faults;
    this.#machines = new Map(world.machines.map((machine) => [machine.name, machine]));
    this.#backups = scheduleBackups(
      world,
      faults.filter((fault) => fault.kind === "log-loss"),
    );
    for (const fault of faults) world.kernel.at(fault.atMs, `fault ${fault.kind}`, () => this.#begin(fault));
  }

  heal(): void {
    this.#isHealing = true;
    for (const end of [...this.#ends]) end();
    for (const machine of this.#world.machines) {
      machine.life?.dieAtEffect(Number.POSITIVE_INFINITY);
      machine.start();
    }
    this.#world.tell("all faults are over");
  }

  #begin(drawn: Fault): void {
    const fault = "machine" in drawn ? { ...drawn, machine: this.#named(drawn.machine) } : drawn;
    this.#world.tell(describeFault(fault));
    const undo = this.#start(fault);
    if (undo === undefined) return;
    const end = () => {
      if (this.#ends.delete(end)) undo();
    };
    this.#ends.add(end);
    this.#world.kernel.after(fault.forMs, `end of ${fault.kind}`, end);
  }

  /** What ends it, if it lasts. */
  #start(fault: Fault): (() => void) | undefined {
    const { network } = this.#world;
    switch (fault.kind) {
      case "crash":
        return void this.#machine(fault.machine).crash(fault.forMs);
      case "die-at-effect":
        return void this.#machine(fault.machine).life?.dieAtEffect(fault.count);
      case "restart": {
        const server = this.#server(fault.machine);
        const { life } = server;
        if (life !== undefined) life.post(fault.atMs, "told to stop", () => void server.restart());
        return undefined;
      }
      case "pause":
        return void this.#machine(fault.machine).life?.pause(fault.forMs);
      case "slow":
        return void this.#machine(fault.machine).life?.slow(fault.forMs, fault.byMs);
      case "clock-jump":
        return void this.#machine(fault.machine).life?.jump(fault.ms);
      case "cut-off":
        return network.cut(ways(fault.way, (place) => place === fault.machine));
      case "cut-from-nats": {
        const nats = `${regionOf(fault.machine)}-nats`;
        const out = (from: string, to: string) => from === fault.machine && to === nats;
        const into = (from: string, to: string) => out(to, from);
        return network.cut(
          (from, to) => (fault.way !== "in" && out(from, to)) || (fault.way !== "out" && into(from, to)),
        );
      }
      case "regions-apart": {
        const inside = (place: string) => regionOf(place) === fault.region;
        const cut = ways(fault.way, inside);
        return network.cut((from, to) => inside(from) !== inside(to) && cut(from, to));
      }
      case "power-loss":
        return void this.#server(fault.machine).losePower(fault.forMs);
      case "blackout":
        for (const server of this.#region(fault.region).servers) server.losePower(fault.forMs);
        return undefined;
      case "disk-loss": {
        const server = this.#server(fault.machine);
        return void server.losePower(fault.forMs, mayLoseDisk(server.region));
      }
      case "bad-disk": {
        const { disk } = this.#server(fault.machine);
        disk.failsWith = fault.failsWith;
        return () => {
          disk.failsWith = undefined;
        };
      }
      case "slow-disk": {
        const { disk } = this.#server(fault.machine);
        disk.slowMs = fault.byMs;
        return () => {
          disk.slowMs = 0;
        };
      }
      case "bad-network":
        return network.disturb(fault);
      case "leader-change": {
        const { logs } = this.#region(fault.region);
        const elect = logs.fault({ stalled: true, keptByNext: fault.kept });
        return () => {
          const knowsAll = logs.lag(fault.lag);
          elect();
          this.#world.kernel.after(NEW_LEADER_MS, "the leader knows all", knowsAll);
        };
      }
      case "log-loss": {
        const region = this.#region(fault.region);
        const comeBack = region.logs.fault({ down: true });
        return () => {
          const lost = this.#isHealing
            ? undefined
            : loseLog(region, fault, this.#backups.get(fault), (holders) => this.#mayBeAsked(fault, holders));
          this.#world.tell(`the log of ${region.name} is back, without ${lost ?? "any loss"}`);
          comeBack();
        };
      }
      case "bad-log":
        return this.#region(fault.region).logs.fault(fault);
    }
  }

  #named(name: string): string {
    const region = this.#world.regions.find((it) => name === `${it.name}-${LEADER}`);
    if (region === undefined) return name;
    const holder = region.witness.state.lease?.Holder ?? "";
    return (
      region.servers.find((server) => holder === `${server.name}.${region.name}`)?.name ?? `${region.name}-server0`
    );
  }

  /** Nothing keeps these servers from answering those that are behind, until the loss is settled. */
  #mayBeAsked(loss: Fault, holders: readonly ServerMachine[]): boolean {
    const { nowMs } = this.#world.kernel;
    const names = holders.map(({ name }) => name);
    const concerns = (fault: Fault) =>
      !("machine" in fault) || fault.machine.endsWith(LEADER) || names.includes(fault.machine);
    const disturbs = (fault: Fault) =>
      fault !== loss && fault.atMs + fault.forMs + AFTERMATH_MS > nowMs && fault.atMs < nowMs + SETTLES_MS;
    return (
      holders.every(({ serves, life }) => serves && life?.isPaused === false) &&
      !this.#faults.some((fault) => concerns(fault) && disturbs(fault))
    );
  }

  #region(name: string): Region {
    const region = this.#world.regions.find((it) => it.name === name);
    if (region === undefined) throw new Error(`no region ${name}`);
    return region;
  }

  #server(name: string): ServerMachine {
    const machine = this.#machine(name);
    if (!(machine instanceof ServerMachine)) throw new Error(`${name} is no server`);
    return machine;
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  }
}

function ways(way: "out" | "in" | "both", inside: (place: string) => boolean) {
  return (from: string, to: string) =>
    (way !== "in" && inside(from) && !inside(to)) || (way !== "out" && inside(to) && !inside(from));
}

export function describeFault({ kind, atMs, forMs, ...rest }: Fault): string {
  const told = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === "number" ? Math.round(value * 100) / 100 : value}`,
  );
  return `fault: ${kind} for ${forMs} ms ${told.join(" ")}`;
}
