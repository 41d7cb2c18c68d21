// Users' requests to this node: taken from a server by a stream, answered piece by piece.
//
// 1. A request is answered by the server that it came from: another one has no caller for it.
// 2. The next piece is sent when the last one was taken in, so that a slow reader holds the file, not memory.
// 3. A request that nobody waits for any more is aborted.
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import type { NodeCall, NodeIdentity, NodeRequest } from "@steppe/proto";
import { backoffMs } from "../backoff.ts";
import type { NodeAgentServer } from "../needs.ts";
import type { ServerPool } from "../server-pool.ts";
import { CallInput } from "./call-input.ts";

export interface CallContext {
  /** Aborts when nobody waits for the answer. */
  readonly signal: AbortSignal;
  /** What the caller sends while the call is open. */
  readonly input: CallInput;
}

/** The pieces of the answer. Throws `SteppeError` to refuse. */
export type Answerer = (call: NodeCall, context: CallContext) => AsyncIterable<Uint8Array>;

export interface RequestServerParts {
  readonly identity: NodeIdentity;
  readonly pool: ServerPool;
  readonly answer: Answerer;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const RETRY = { baseMs: 100, maxMs: 5_000 };
/** A piece is taken in when the reader has room for it, which may be long after. */
const ANSWER_TIMEOUT_MS = 300_000;
const EMPTY = new Uint8Array(0);

interface Running {
  readonly controller: AbortController;
  readonly input: CallInput;
}

export class RequestServer {
  readonly #parts: RequestServerParts;
  readonly #closing = new AbortController();
  readonly #running = new Map<string, Running>();

  constructor(parts: RequestServerParts) {
    this.#parts = parts;
  }

  /** Serves until closed. Never rejects. */
  async run(): Promise<void> {
    const { pool, clock, random, logger } = this.#parts;
    for (let failures = 0; !this.#closing.signal.aborted; failures++) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        // The allocation stream, which is to the same server, moves on where that is called for.
        logger.debug({ err: error, server: pool.current }, "stream of requests failed; opening it again");
      }
      const waitMs = backoffMs(RETRY, failures, random.fraction());
      await clock.after(waitMs, this.#closing.signal).catch(() => undefined);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const { controller } of this.#running.values()) controller.abort();
  }

  async #follow(alive: () => void): Promise<void> {
    const { pool, identity } = this.#parts;
    const server = pool.server();
    const signal = AbortSignal.any([this.#closing.signal, pool.moved]);
    for await (const request of server.takeRequests({ Node: identity }, signal)) {
      alive();
      this.#take(request, server);
    }
  }

  #take({ CallID, Kind: kind }: NodeRequest, server: NodeAgentServer): void {
    const running = this.#running.get(CallID);
    if (kind?.$case === "Cancel") running?.controller.abort();
    else if (kind?.$case === "Input") running?.input.push(kind.value);
    else if (kind?.$case === "Call" && running === undefined) void this.#serve(CallID, kind.value, server);
  }

  /** Never rejects. */
  async #serve(CallID: string, call: NodeCall, server: NodeAgentServer): Promise<void> {
    const { identity, answer, logger } = this.#parts;
    const running = { controller: new AbortController(), input: new CallInput() };
    const { signal } = running.controller;
    this.#running.set(CallID, running);
    const base = { Node: identity, CallID, Data: EMPTY, End: false, Refusal: undefined };
    const send = (fields: Partial<Parameters<NodeAgentServer["answer"]>[0]>) =>
      server.answer({ ...base, ...fields }, ANSWER_TIMEOUT_MS, this.#closing.signal);
    try {
      const refusal = await this.#pump(answer(call, { signal, input: running.input }), signal, send);
      if (!signal.aborted) await send({ End: true, Refusal: refusal });
    } catch (error) {
      logger.debug({ err: error, method: call.Method }, "an answer could not be given");
    } finally {
      this.#running.delete(CallID);
      running.controller.abort();
      running.input.close();
    }
  }

  /** What the answer was refused with, if it was. */
  async #pump(
    pieces: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    send: (fields: { Data: Uint8Array }) => Promise<{ readonly Gone: boolean }>,
  ): Promise<{ Code: string; Message: string } | undefined> {
    const iterator = pieces[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#next(iterator, signal);
        if ("refusal" in next) return next.refusal;
        if (next.done || signal.aborted) return undefined;
        // Also an empty one: it tells that the answer has begun.
        for (let at = 0; at === 0 || at < next.piece.length; at += PIECE_MAX) {
          const { Gone } = await send({ Data: next.piece.subarray(at, at + PIECE_MAX) });
          if (Gone) return undefined;
        }
      }
    } finally {
      await iterator.return?.();
    }
  }

  async #next(iterator: AsyncIterator<Uint8Array>, signal: AbortSignal) {
    try {
      const { done, value } = await iterator.next();
      return { done: done === true, piece: value ?? EMPTY };
    } catch (error) {
      if (signal.aborted) return { done: true, piece: EMPTY };
      if (!(error instanceof SteppeError)) this.#parts.logger.warn({ err: error }, "a request failed");
      const Code = error instanceof SteppeError ? error.code : "refused";
      return { refusal: { Code, Message: error instanceof Error ? error.message : String(error) } };
    }
  }
}

/** Bytes in one message. */
const PIECE_MAX = 256 * 1024;
