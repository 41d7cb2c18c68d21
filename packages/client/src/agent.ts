// The node agent: one node, its allocations, and the servers.
//
// Owned here: which allocations there are. Their lives are the runners'; what is told to the servers
// is the outbox's; the connection is the session's.
import { mkdirSync } from "node:fs";
import type { Clock, Logger, Random } from "@steppe/model";
import {
  AllocationUpdate,
  type AssignedAllocation,
  type Job,
  type Node,
  type NodeAllocations,
  type NodeIdentity,
} from "@steppe/proto";
import { decideChanges, type LocalAllocation } from "./assignments.ts";
import { probeNetwork } from "./checks/probe.ts";
import { type ClientConfig, type CompiledConfig, compileConfig } from "./config.ts";
import type { Driver } from "./drivers/driver.ts";
import { createMockDriver } from "./drivers/mock-driver.ts";
import { createRawExecDriver } from "./drivers/raw-exec.ts";
import { nodeCredentials } from "./fingerprint/identity.ts";
import { readMachine } from "./fingerprint/machine.ts";
import { buildNode } from "./fingerprint/node.ts";
import { JobCache } from "./job-cache.ts";
import type { Connect } from "./needs.ts";
import { NodeMetadata } from "./node-metadata.ts";
import { NodeSession } from "./node-session.ts";
import { createAnswerer, type NodeAccess } from "./requests/methods.ts";
import { RequestServer } from "./requests/request-server.ts";
import { AllocRunner, type AllocRunnerParts } from "./runner/alloc-runner.ts";
import { AllocationStore } from "./runner/allocation-files.ts";
import { ServerPool } from "./server-pool.ts";
import { AGENT_OUTBOX, oneByOne, StatusOutbox } from "./status-outbox.ts";

export interface AgentParts {
  readonly config: ClientConfig;
  readonly connect: Connect;
  /** Answers what is asked of the process. */
  readonly answer?: NodeAccess["agent"];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface AgentStats {
  readonly server: string;
  readonly heartbeats: number;
  /** Not terminal. */
  readonly running: number;
  readonly terminal: number;
  /** Updates the servers have not acknowledged. */
  readonly unacknowledged: number;
}

export interface NodeAgent {
  readonly nodeId: string;
  /** As it registers. */
  readonly node: Node;
  /** Takes up what an earlier life left, then registers. Resolves once registered; keeps trying until then. */
  start(): Promise<void>;
  /** `drain`: ends the tasks first. Otherwise they run on, unless the configuration says they are killed. */
  stop(options?: { readonly drain?: boolean }): Promise<void>;
  stats(): AgentStats;
  /** gRPC addresses of the servers it may talk to. */
  servers(): readonly string[];
  setServers(addresses: readonly string[]): void;
}

/** Allocations whose files were collected and that are still known to have ended here. */
const COLLECTED_MAX = 10_000;
const CUT_OFF_CHECK_MS = 1_000;
/** How long a stopping agent tries to tell the servers the last it knows. */
const LAST_WORDS_MS = 3_000;

export function createAgent(parts: AgentParts): NodeAgent {
  return new Agent(parts);
}

class Agent implements NodeAgent {
  readonly node: Node;
  readonly #parts: AgentParts;
  readonly #config: CompiledConfig;
  readonly #pool: ServerPool;
  readonly #outbox: StatusOutbox<AllocationUpdate>;
  readonly #store: AllocationStore;
  readonly #jobs = new JobCache();
  readonly #runners = new Map<string, AllocRunner>();
  readonly #runnerParts: AllocRunnerParts;
  /** Ended here and no longer kept: a server that lags behind may list one as running, and it must not start anew. */
  readonly #collected = new Set<string>();
  #session: NodeSession | undefined;
  readonly #requests: RequestServer;
  /** What users set of the node's metadata while it runs; null takes away what the configuration gives. */
  readonly #dynamicMeta: NodeMetadata;
  readonly #closing = new AbortController();
  #stopped = false;

  constructor(parts: AgentParts) {
    const { clock, random, logger } = parts;
    this.#parts = parts;
    // The disk is measured where allocations live, so that place comes first.
    mkdirSync(parts.config.allocDir || parts.config.dataDir, { recursive: true });
    const machine = readMachine(parts.config.allocDir || parts.config.dataDir);
    this.#config = compileConfig(parts.config, machine.hostname);
    mkdirSync(this.#config.allocDir, { recursive: true });
    this.#store = new AllocationStore(this.#config.stateDir);
    this.node = buildNode(machine, this.#config, nodeCredentials(this.#config.stateDir, random), clock.wallNs());
    this.#pool = new ServerPool(this.#config.servers, parts.connect, clock, random);
    this.#dynamicMeta = new NodeMetadata(this.#config.stateDir, this.node.Meta);
    this.node.Meta = this.#dynamicMeta.effective();
    this.#requests = new RequestServer({
      identity: identityOf(this.node),
      pool: this.#pool,
      answer: createAnswerer(this.#access()),
      ...{ clock, random, logger },
    });
    this.#outbox = new StatusOutbox(this.#pool, [identityOf(this.node)], oneByOne, AGENT_OUTBOX, clock, random, logger);
    this.#runnerParts = {
      node: this.node,
      region: this.#config.region,
      allocDir: this.#config.allocDir,
      hostEnv: this.#config.hostEnv,
      drivers: createDrivers(this.#config, clock, logger),
      probe: probeNetwork,
      store: this.#store,
      report: (update) => this.#outbox.add(update),
      clock,
      random,
      logger,
    };
  }

  servers(): readonly string[] {
    return this.#pool.addresses;
  }

  setServers(addresses: readonly string[]): void {
    this.#pool.replace(addresses);
  }

  get nodeId(): string {
    return this.node.ID;
  }

  async start(): Promise<void> {
    const { clock, random, logger } = this.#parts;
    const seenIndex = await this.#takeUp();
    this.#session = new NodeSession(
      {
        nodes: [this.node],
        pool: this.#pool,
        received: (message) => this.#received(message),
        clock,
        random,
        logger,
      },
      seenIndex,
    );
    await this.#session.start();
    void this.#stopWhenCutOff();
    void this.#requests.run();
  }

  /** Some groups would rather not run than run beside the replacement that the servers place meanwhile. */
  async #stopWhenCutOff(): Promise<void> {
    const { clock, logger } = this.#parts;
    while (!this.#stopped) {
      await clock.after(CUT_OFF_CHECK_MS, this.#closing.signal).catch(() => undefined);
      const silentMs = this.#session?.silentMs ?? 0;
      for (const runner of this.#stopped ? [] : this.#runners.values()) {
        if (runner.terminal || silentMs < runner.stopAfterMs) continue;
        logger.warn({ alloc: runner.id, silentMs }, "cut off from the servers for too long; stopping the allocation");
        runner.stop().catch((error) => this.#lost(runner, error));
      }
    }
  }

  async stop({ drain = false } = {}): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#closing.abort();
    const runners = [...this.#runners.values()].filter((runner) => !runner.terminal);
    this.#requests.close();
    await this.#session?.close();
    if (drain || this.#config.killTasksOnStop) await Promise.all(runners.map((runner) => runner.stop()));
    for (const runner of this.#runners.values()) runner.detach();
    await this.#lastWords();
    this.#outbox.close();
  }

  stats(): AgentStats {
    const all = [...this.#runners.values()];
    const terminal = all.filter((runner) => runner.terminal).length;
    return {
      server: this.#pool.current,
      heartbeats: this.#session?.heartbeats ?? 0,
      running: all.length - terminal,
      terminal,
      unacknowledged: this.#outbox.size,
    };
  }

  async #lastWords(): Promise<void> {
    const done = new AbortController();
    const tooLong = this.#parts.clock.after(LAST_WORDS_MS, done.signal).catch(() => {});
    await Promise.race([this.#outbox.flushed(), tooLong]);
    done.abort();
  }

  /** The highest index that the allocations found here tell of. */
  async #takeUp(): Promise<number> {
    let seenIndex = 0;
    for (const { snapshot, job } of this.#store.readAll(this.#parts.logger)) {
      const runner = this.#newRunner(snapshot.assigned, job);
      if (runner === undefined) continue;
      seenIndex = Math.max(seenIndex, snapshot.assigned.AllocModifyIndex);
      await runner.resume(snapshot);
    }
    return seenIndex;
  }

  #received(message: NodeAllocations): void {
    if (this.#stopped) return;
    if (message.Full) this.#jobs.clear();
    this.#jobs.add(message.Jobs);
    const changes = decideChanges(message, this.#local());
    for (const id of message.HurriedIDs) this.#runners.get(id)?.hurry();
    for (const id of changes.forget) void this.#forget(id);
    for (const assigned of changes.stop) this.#stopRunner(assigned);
    for (const assigned of changes.update) this.#runners.get(assigned.ID)?.update(assigned, this.#jobOf(assigned));
    for (const assigned of changes.start) if (!this.#collected.has(assigned.ID)) this.#startRunner(assigned);
    for (const id of changes.tell) {
      const runner = this.#runners.get(id);
      if (runner !== undefined) this.#outbox.add(runner.currentUpdate());
    }
  }

  #local(): Map<string, LocalAllocation> {
    const local = new Map<string, LocalAllocation>();
    for (const [id, runner] of this.#runners) {
      const { assigned, terminal, clientStatus } = runner;
      local.set(id, { id, index: assigned.AllocModifyIndex, terminal, clientStatus });
    }
    return local;
  }

  #jobOf(assigned: AssignedAllocation): Job {
    const known = this.#jobs.find(assigned) ?? this.#runners.get(assigned.ID)?.job;
    if (known !== undefined && known.Version === assigned.JobVersion) return known;
    throw new Error(`the stream did not carry version ${assigned.JobVersion} of job ${assigned.JobID}`);
  }

  #newRunner(assigned: AssignedAllocation, job: Job): AllocRunner | undefined {
    try {
      const runner = new AllocRunner(assigned, job, this.#runnerParts);
      this.#runners.set(assigned.ID, runner);
      void runner.ended.then(() => this.#collectGarbage());
      return runner;
    } catch (error) {
      this.#parts.logger.error({ err: error, alloc: assigned.ID }, "allocation cannot be run");
      const ClientDescription = `Unable to run: ${(error as Error).message}`;
      this.#outbox.add(AllocationUpdate.create({ ID: assigned.ID, ClientStatus: "failed", ClientDescription }));
      return undefined;
    }
  }

  #startRunner(assigned: AssignedAllocation): void {
    const runner = this.#newRunner(assigned, this.#jobOf(assigned));
    const previous = this.#runners.get(assigned.PreviousAllocation);
    runner?.start(previous?.ended).catch((error) => this.#lost(runner, error));
  }

  #stopRunner(assigned: AssignedAllocation): void {
    const runner = this.#runners.get(assigned.ID);
    runner?.update(assigned, runner.job);
    runner?.stop().catch((error) => this.#lost(runner, error));
  }

  #access(): NodeAccess {
    return {
      allocDir: this.#config.allocDir,
      clock: this.#parts.clock,
      ...(this.#parts.answer && { agent: this.#parts.answer }),
      find: (id) => this.#runners.get(id),
      collect: (id) => this.#collect(id),
      metadata: () => this.#dynamicMeta.shown(),
      setMetadata: async (changes) => {
        this.#dynamicMeta.change(changes);
        this.node.Meta = this.#dynamicMeta.effective();
        await this.#session?.refresh();
        return this.#dynamicMeta.shown();
      },
    };
  }

  /** Removes the files of allocations that have ended and that the servers know to have. */
  #collect(id: string | undefined): void {
    for (const runner of id === undefined ? [...this.#runners.values()] : [this.#runners.get(id)]) {
      if (runner?.terminal === true && !this.#outbox.has(runner.id)) this.#removeEnded(runner);
    }
  }

  #removeEnded(runner: AllocRunner): void {
    this.#runners.delete(runner.id);
    this.#collected.add(runner.id);
    runner.removeFiles();
  }

  #lost(runner: AllocRunner, error: unknown): void {
    this.#parts.logger.error({ err: error, alloc: runner.id }, "allocation runner failed");
  }

  /** Of an allocation that the servers no longer know. */
  async #forget(id: string): Promise<void> {
    const runner = this.#runners.get(id);
    if (runner === undefined) return;
    await runner.stop();
    if (this.#stopped) return;
    this.#runners.delete(id);
    this.#outbox.drop(id);
    runner.removeFiles();
  }

  /** Terminal allocations stay for those who want to read their logs, up to a number. */
  #collectGarbage(): void {
    // One whose end is not acknowledged must stay: to servers it still runs, and they would have it started again.
    const terminal = [...this.#runners.values()].filter((runner) => runner.terminal && !this.#outbox.has(runner.id));
    const surplus = terminal.length - this.#config.gcMaxAllocs;
    if (surplus <= 0 || this.#stopped) return;
    const oldest = terminal.sort((a, b) => a.finishedMs - b.finishedMs).slice(0, surplus);
    for (const runner of oldest) this.#removeEnded(runner);
    for (const id of this.#collected) {
      if (this.#collected.size <= COLLECTED_MAX) break;
      this.#collected.delete(id);
    }
  }
}

function identityOf({ ID, SecretID }: Node): NodeIdentity {
  return { NodeID: ID, SecretID };
}

function createDrivers(config: CompiledConfig, clock: Clock, logger: Logger): ReadonlyMap<string, Driver> {
  const makers = { raw_exec: createRawExecDriver, mock_driver: createMockDriver };
  return new Map(config.drivers.map((name) => [name, makers[name](clock, logger)]));
}
