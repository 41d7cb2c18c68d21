// What the servers have yet to acknowledge about allocations.
//
// 1. Of several updates of one allocation the newest is kept; one that is being sent is never
//    overtaken by a newer one of the same allocation, which waits for its acknowledgement.
// 2. A batch whose outcome is unknown is sent again, the same, with the same request ID.
// 3. An update leaves only when acknowledged, or when refused on its own as malformed.
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import { type AllocationUpdate, type NodeIdentity, NodeUpdateAllocationsRequest } from "@steppe/proto";
import { backoffMs } from "./backoff.ts";
import type { NodeAgentServer } from "./needs.ts";
import type { ServerPool } from "./server-pool.ts";

export interface OutboxLimits {
  /** How long the first update of a batch waits for company. */
  readonly gatherMs: number;
  /** Waiting updates that are enough to send at once. */
  readonly sendAt: number;
  readonly batchMax: number;
  /** Batches on their way at the same time. */
  readonly parallel: number;
}

export const AGENT_OUTBOX: OutboxLimits = { gatherMs: 200, sendAt: 64, batchMax: 500, parallel: 1 };

/** Takes a batch to a server. Rejects as the calls of `NodeAgentServer` do. */
export type Deliver<T> = (
  server: NodeAgentServer,
  batch: { readonly updates: readonly T[]; readonly nodes: NodeIdentity[]; readonly requestId: string },
  signal: AbortSignal,
) => Promise<unknown>;

/** Each update as it is. */
export const oneByOne: Deliver<AllocationUpdate> = (server, { updates, nodes, requestId }, signal) => {
  const fields = { Updates: [...updates], Nodes: nodes, RequestID: requestId };
  return server.updateAllocations(NodeUpdateAllocationsRequest.create(fields), signal);
};

const RETRY = { baseMs: 250, maxMs: 10_000 };

/** `T`: what is said of one allocation. */
export class StatusOutbox<T extends { readonly ID: string }> {
  readonly #pool: ServerPool;
  readonly #nodes: readonly NodeIdentity[];
  /** By allocation not yet acknowledged, its node. Only of many nodes: one is named by itself. */
  readonly #nodeOf = new Map<string, NodeIdentity>();
  readonly #deliverTo: Deliver<T>;
  readonly #limits: OutboxLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  /** In the order they arrived. */
  readonly #waiting = new Map<string, T>();
  readonly #sending = new Set<string>();
  /** Newer than what is being sent. */
  readonly #held = new Map<string, T>();
  #gathering = false;
  #senders = 0;
  #acknowledged = 0;
  #emptied: (() => void)[] = [];

  /** `nodes`: those that the updates are about; servers take none of another node's allocations. */
  constructor(
    pool: ServerPool,
    nodes: readonly NodeIdentity[],
    deliver: Deliver<T>,
    limits: OutboxLimits,
    clock: Clock,
    random: Random,
    logger: Logger,
  ) {
    this.#pool = pool;
    this.#nodes = nodes;
    this.#deliverTo = deliver;
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
  }

  /** Updates not yet acknowledged. */
  get size(): number {
    return this.#waiting.size + this.#sending.size + this.#held.size;
  }

  has(allocId: string): boolean {
    return this.#waiting.has(allocId) || this.#sending.has(allocId) || this.#held.has(allocId);
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** `node`: the one the allocation is on, of those of this outbox; known by itself when there is one. */
  add(update: T, node?: NodeIdentity): void {
    if (node !== undefined) this.#nodeOf.set(update.ID, node);
    if (this.#sending.has(update.ID)) {
      this.#held.set(update.ID, update);
      return;
    }
    this.#waiting.set(update.ID, update);
    this.#schedule();
  }

  /** Forgets what was to be told of an allocation that the servers have forgotten. */
  drop(allocId: string): void {
    this.#waiting.delete(allocId);
    this.#held.delete(allocId);
    if (!this.#sending.has(allocId)) this.#nodeOf.delete(allocId);
  }

  /** Resolves when everything is acknowledged. */
  flushed(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    this.#send();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  close(): void {
    this.#closing.abort();
  }

  #schedule(): void {
    if (this.#waiting.size >= this.#limits.sendAt) {
      this.#send();
      return;
    }
    if (this.#gathering) return;
    this.#gathering = true;
    this.#clock.after(this.#limits.gatherMs, this.#closing.signal).then(
      () => {
        this.#gathering = false;
        this.#send();
      },
      () => {
        // Closed; what is left is told again by the next life of the agent.
      },
    );
  }

  #send(): void {
    while (this.#senders < this.#limits.parallel && this.#waiting.size > 0 && !this.#closing.signal.aborted) {
      const batch = this.#take();
      this.#senders += 1;
      void this.#deliver(batch).then(() => {
        this.#senders -= 1;
        this.#release(batch);
      });
    }
  }

  #take(): T[] {
    const batch: T[] = [];
    for (const [id, update] of this.#waiting) {
      if (batch.length >= this.#limits.batchMax) break;
      batch.push(update);
      this.#waiting.delete(id);
      this.#sending.add(id);
    }
    return batch;
  }

  #release(batch: readonly T[]): void {
    for (const { ID } of batch) {
      this.#sending.delete(ID);
      const newer = this.#held.get(ID);
      if (newer === undefined) {
        this.#nodeOf.delete(ID);
        continue;
      }
      this.#held.delete(ID);
      this.#waiting.set(ID, newer);
    }
    if (this.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
    // Full batches follow at once; a remainder gathers company, unless somebody waits for the end.
    if (this.#waiting.size >= this.#limits.sendAt || this.#emptied.length > 0) this.#send();
    else if (this.#waiting.size > 0) this.#schedule();
  }

  /** Returns when acknowledged, refused for good, or closing. */
  async #deliver(batch: readonly T[]): Promise<void> {
    const request = { updates: batch, nodes: this.#nodesOf(batch), requestId: this.#random.id() };
    for (let failures = 0; !this.#closing.signal.aborted; failures++) {
      try {
        await this.#pool.call(this.#closing.signal, (server, signal) => this.#deliverTo(server, request, signal));
        this.#acknowledged += batch.length;
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (isRefusedForGood(error)) return this.#divide(batch, error);
        this.#logger.warn(
          { err: error, updates: batch.length },
          "allocation updates were not acknowledged; sending again",
        );
        const waitMs = backoffMs(RETRY, failures, this.#random.fraction());
        await this.#clock.after(waitMs, this.#closing.signal).catch(() => {
          // Closing; the loop ends.
        });
      }
    }
  }

  /** Servers look at the secret of each: of a thousand nodes those are named that the batch is about. */
  #nodesOf(batch: readonly T[]): NodeIdentity[] {
    const nodes = new Set<NodeIdentity>();
    for (const { ID } of batch) {
      const node = this.#nodeOf.get(ID);
      if (node === undefined) return [...this.#nodes];
      nodes.add(node);
    }
    return [...nodes];
  }

  /** Nothing of a refused batch took effect: its halves are new requests. */
  async #divide(batch: readonly T[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      this.#logger.error({ err: error, alloc: batch[0]?.ID }, "an allocation update was refused and is given up");
      return;
    }
    const middle = Math.ceil(batch.length / 2);
    await this.#deliver(batch.slice(0, middle));
    await this.#deliver(batch.slice(middle));
  }
}

function isRefusedForGood(error: unknown): boolean {
  if (!(error instanceof SteppeError)) return false;
  return error.code === "invalid" || error.code === "too-large" || error.code === "permission-denied";
}
