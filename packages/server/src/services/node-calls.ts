// Requests on their way to the node agents that are connected to this server.
//
// 1. A node's newest stream gets its requests; when a stream ends, its open calls fail.
// 2. Pieces of an answer wait for the caller, and the node agent waits with them: it sends the next piece
//    when the last one was taken in, of which a few may be ahead of the caller.
// 3. A caller that goes is told to the node agent, by a message and in answer to its next piece.
import { isErrorCode, SteppeError } from "@steppe/model";
import type { NodeAnswer, NodeCall, NodeRequest } from "@steppe/proto";

/** Pieces ahead of the caller. */
const AHEAD_MAX = 8;

export const NO_PATH_TO_NODE = "No path to node";

export function noPathToNode(cause?: unknown): SteppeError {
  return new SteppeError("not-found", NO_PATH_TO_NODE, cause === undefined ? undefined : { cause });
}

export class NodeCalls {
  readonly #streams: Map<string, NodeRequestStream> = new Map();
  readonly #calls: Map<string, OpenCall> = new Map();

  /** Whether the node is connected here. */
  reaches(nodeId: string): boolean {
    return this.#streams.has(nodeId);
  }

  /** Requests to a node, from now until the signal aborts. */
  async *requests(nodeId: string, signal: AbortSignal): AsyncGenerator<NodeRequest, void> {
    const stream = new NodeRequestStream();
    this.#streams.set(nodeId, stream);
    const stop = () => stream.wake();
    signal.addEventListener("abort", stop);
    try {
      while (!signal.aborted) {
        const next = stream.shift();
        if (next === undefined) await stream.woken(signal);
        else yield next;
      }
    } finally {
      signal.removeEventListener("abort", stop);
      if (this.#streams.get(nodeId) === stream) this.#streams.delete(nodeId);
      for (const call of this.#calls.values()) if (call.stream === stream) call.fail(noPathToNode());
    }
  }

  /** The answer of the node, piece by piece. Throws what the node agent refuses with, or that there is no path to it. */
  async *open(
    callId: string,
    nodeId: string,
    request: NodeCall,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void> {
    const stream = this.#streams.get(nodeId);
    if (stream === undefined) throw noPathToNode();
    const call = new OpenCall(nodeId, stream);
    const stop = () => call.fail(signal.reason);
    signal.addEventListener("abort", stop);
    this.#calls.set(callId, call);
    stream.push({ CallID: callId, Kind: { $case: "Call", value: request } });
    try {
      yield* call.pieces();
    } finally {
      signal.removeEventListener("abort", stop);
      this.#calls.delete(callId);
      call.leave();
      if (!call.ended) stream.push({ CallID: callId, Kind: { $case: "Cancel", value: true } });
    }
  }

  /** What a caller sends while its call is open. False: there is no such call here. */
  input(callId: string, data: Uint8Array): boolean {
    const call = this.#calls.get(callId);
    if (call === undefined) return false;
    call.stream.push({ CallID: callId, Kind: { $case: "Input", value: data } });
    return true;
  }

  /** Takes in a piece of an answer. Resolves, with whether anybody still waits, when there is room for the next one. */
  async answer({ CallID, Node, Data, End, Refusal }: NodeAnswer): Promise<boolean> {
    const call = this.#calls.get(CallID);
    if (call === undefined || call.nodeId !== Node?.NodeID) return false;
    if (!End) {
      await call.add(Data);
      return this.#calls.has(CallID);
    }
    const { Code, Message } = Refusal ?? { Code: "", Message: "" };
    if (Refusal === undefined) call.end();
    else call.fail(new SteppeError(isErrorCode(Code) ? Code : "refused", Message));
    return false;
  }
}

class NodeRequestStream {
  readonly #waiting: NodeRequest[] = [];
  #wake: () => void = () => undefined;

  push(request: NodeRequest): void {
    this.#waiting.push(request);
    this.#wake();
  }

  shift(): NodeRequest | undefined {
    return this.#waiting.shift();
  }

  wake(): void {
    this.#wake();
  }

  woken(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

class OpenCall {
  readonly nodeId: string;
  readonly stream: NodeRequestStream;
  ended = false;
  readonly #pieces: Uint8Array[] = [];
  #error: unknown;
  #left = false;
  /** Called when there is a piece, or an end. */
  #arrived: () => void = () => undefined;
  /** Called when there is room, or nobody to wait for. */
  #taken: () => void = () => undefined;

  constructor(nodeId: string, stream: NodeRequestStream) {
    this.nodeId = nodeId;
    this.stream = stream;
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const piece = this.#pieces.shift();
      this.#taken();
      if (piece !== undefined) yield piece;
      else if (this.#error !== undefined) throw this.#error;
      else if (this.ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
        });
      }
    }
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#arrived();
    while (this.#pieces.length > AHEAD_MAX && !this.#left) {
      await new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
    }
  }

  end(): void {
    this.ended = true;
    this.#arrived();
  }

  /** What came before is still given out. */
  fail(error: unknown): void {
    if (this.ended || this.#error !== undefined) return;
    this.#error = error;
    if (error instanceof SteppeError) this.ended = true;
    this.#arrived();
  }

  leave(): void {
    this.#left = true;
    this.#taken();
  }
}
