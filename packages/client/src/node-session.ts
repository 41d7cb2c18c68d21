// One or many nodes at the servers: registered, kept alive, and listening for their allocations.
//
// 1. Heartbeats begin after the first registration and never stop until closed.
// 2. Messages are handed on in order. After a reconnection the first one is complete again.
// 3. A complete list older than what was seen before is not handed on: it comes from a server that
//    lags behind, and would stop allocations it has not heard of yet. Another try is made instead.
import type { Clock, Logger, Random } from "@steppe/model";
import {
  type Node,
  type NodeAllocations,
  NodeHeartbeatRequest,
  type NodeIdentity,
  NodeRegisterRequest,
  WatchAllocationsRequest,
} from "@steppe/proto";
import { backoffMs } from "./backoff.ts";
import type { ServerPool } from "./server-pool.ts";

export interface NodeSessionParts {
  readonly nodes: readonly Node[];
  readonly pool: ServerPool;
  /** Throws to have the stream opened again. */
  readonly received: (message: NodeAllocations) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Nodes in one registration. */
  readonly registerMax?: number;
}

const RETRY = { baseMs: 250, maxMs: 15_000 };
/** Streams are cheap to open again and everything waits for them. */
const STREAM_RETRY = { baseMs: 100, maxMs: 5_000 };
/** A server that tells no TTL. */
const TTL_MS = 10_000;

export class NodeSession {
  readonly #parts: NodeSessionParts;
  readonly #closing = new AbortController();
  readonly #identities: readonly NodeIdentity[];
  readonly #loops: Promise<void>[] = [];
  #ttlMs = TTL_MS;
  #lastIndex: number;
  #heartbeats = 0;
  #heardMs: number;

  /** `seenIndex`: the log index that an earlier life of the agent is known to have seen. */
  constructor(parts: NodeSessionParts, seenIndex = 0) {
    this.#parts = parts;
    this.#identities = parts.nodes.map(({ ID, SecretID }) => ({ NodeID: ID, SecretID }));
    this.#lastIndex = seenIndex;
    this.#heardMs = parts.clock.monotonicMs();
  }

  /** Since a server last answered. */
  get silentMs(): number {
    return this.#parts.clock.monotonicMs() - this.#heardMs;
  }

  get heartbeats(): number {
    return this.#heartbeats;
  }

  /** Resolves once registered, or closed before. */
  async start(): Promise<void> {
    await this.#register(this.#parts.nodes);
    if (this.#closing.signal.aborted) return;
    this.#loops.push(this.#keepAlive(), this.#watch());
  }

  /** The nodes say something new of themselves. */
  async refresh(): Promise<void> {
    await this.#register(this.#parts.nodes);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#loops);
  }

  async #register(nodes: readonly Node[]): Promise<void> {
    const most = this.#parts.registerMax ?? 200;
    for (let from = 0; from < nodes.length; from += most) await this.#registerBatch(nodes.slice(from, from + most));
  }

  async #registerBatch(nodes: readonly Node[]): Promise<void> {
    const { pool, random, logger } = this.#parts;
    const request = NodeRegisterRequest.create({ Nodes: [...nodes], RequestID: random.id() });
    await this.#untilDone(async () => {
      const response = await pool.call(this.#closing.signal, (server, signal) => server.register(request, signal));
      this.#heard(response);
      logger.info({ nodes: nodes.length, server: pool.current }, "registered");
    }, "registration failed; trying again");
  }

  async #untilDone(attempt: () => Promise<void>, complaint: string, retry = RETRY): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted; failures++) {
      try {
        return await attempt();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#parts.logger.warn({ err: error }, complaint);
        await this.#wait(backoffMs(retry, failures, this.#parts.random.fraction()));
      }
    }
  }

  async #keepAlive(): Promise<void> {
    const { pool, random } = this.#parts;
    while (!this.#closing.signal.aborted) {
      // Half the TTL, up to a tenth of it early, leaves room for two failures and their retries.
      await this.#wait(this.#ttlMs * (0.5 - random.fraction() * 0.1));
      const request = NodeHeartbeatRequest.create({ Nodes: [...this.#identities] });
      await this.#untilDone(
        async () => {
          const response = await pool.call(this.#closing.signal, (server, signal) => server.heartbeat(request, signal));
          this.#heartbeats += 1;
          this.#heard(response);
          await this.#registerAgain(response.UnknownNodeIDs);
          // Where all servers fail, the first that is well again has to hear of the nodes before they are missed.
        },
        "heartbeat failed; trying another server",
        { ...RETRY, maxMs: this.#ttlMs / 4 },
      );
    }
  }

  async #registerAgain(unknown: readonly string[]): Promise<void> {
    if (unknown.length === 0) return;
    this.#parts.logger.warn({ nodes: unknown.length }, "the servers do not know these nodes; registering again");
    const ids = new Set(unknown);
    await this.#register(this.#parts.nodes.filter((node) => ids.has(node.ID)));
  }

  #heard(response: { readonly HeartbeatTTL: number; readonly Servers: readonly string[] }): void {
    this.#heardMs = this.#parts.clock.monotonicMs();
    if (response.HeartbeatTTL > 0) this.#ttlMs = response.HeartbeatTTL / 1e6;
    this.#parts.pool.learn(response.Servers);
  }

  async #watch(): Promise<void> {
    const { pool, random, logger } = this.#parts;
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      const address = pool.current;
      try {
        await this.#follow(() => {
          failures = 0;
        });
        logger.info({ server: address }, "allocation stream ended; opening it again");
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        logger.warn({ err: error, server: address }, "allocation stream failed; opening it again");
        pool.moveOnFrom(address);
      }
      await this.#wait(backoffMs(STREAM_RETRY, failures, random.fraction()));
      failures += 1;
    }
  }

  /** One stream, to its end. */
  async #follow(alive: () => void): Promise<void> {
    const { pool, received } = this.#parts;
    const signal = AbortSignal.any([this.#closing.signal, pool.moved]);
    const request = WatchAllocationsRequest.create({ Nodes: [...this.#identities] });
    for await (const message of pool.server().watchAllocations(request, signal)) {
      if (signal.aborted) return;
      if (message.Full && message.Index < this.#lastIndex) {
        throw new Error(`server is at index ${message.Index}, behind ${this.#lastIndex} which was seen before`);
      }
      this.#lastIndex = Math.max(this.#lastIndex, message.Index);
      received(message);
      alive();
    }
  }

  async #wait(ms: number): Promise<void> {
    await this.#parts.clock.after(ms, this.#closing.signal).catch(() => {
      // Closing; the loops look.
    });
  }
}
