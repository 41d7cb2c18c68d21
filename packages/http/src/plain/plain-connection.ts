import type { Socket } from "node:net";
import type { HeaderBlocks } from "./header-blocks.ts";
import { PlainReply, type ReplyEnds } from "./plain-reply.ts";
import { type PlainRequest, readPlain } from "./plain-request.ts";

export interface PlainNeeds {
  readonly blocks: HeaderBlocks;
  /** How long a connection may be silent before its first request, and after each. */
  readonly times: { readonly requestTimeout: number; readonly keepAliveTimeout: number };
  /** Of the Date header. */
  date(): string;
  /** Never throws. */
  serve(request: PlainRequest, reply: PlainReply): void;
  /** Gives the connection to node:http for good. */
  handOver(socket: Socket): void;
  /** Connections end with the reply under way. */
  isClosing(): boolean;
  /** It is closed, or node:http's. */
  left(connection: PlainConnection): void;
}

/** Clients whose headers are new each time gain nothing by their being remembered. */
const NEW_BLOCKS_MAX = 4;

/**
 * A connection on which whole, plain requests come one after the other. The first that is anything else, or is new once
 * too often, goes to node:http with the connection.
 */
export class PlainConnection implements ReplyEnds {
  readonly keepAliveSeconds: number;
  readonly #socket: Socket;
  readonly #needs: PlainNeeds;
  /** To the request under way. */
  #reply: PlainReply | undefined;
  /** What came while a request was under way. */
  #early: Buffer | undefined;
  #newBlocks = 0;
  readonly #onData = (bytes: Buffer) => this.#take(bytes);
  readonly #onEnd = () => this.#ended();
  readonly #onError = () => this.#socket.destroy();
  readonly #onTimeout = () => this.endIfIdle();
  readonly #onClose = () => this.#closed();

  constructor(socket: Socket, needs: PlainNeeds) {
    this.#socket = socket;
    this.#needs = needs;
    this.keepAliveSeconds = Math.floor(needs.times.keepAliveTimeout / 1000);
    socket.setTimeout(needs.times.requestTimeout);
    socket.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onError);
    socket.on("timeout", this.#onTimeout).on("close", this.#onClose);
  }

  date(): string {
    return this.#needs.date();
  }

  replied(isLast: boolean): void {
    this.#reply = undefined;
    if (isLast || this.#needs.isClosing()) this.#socket.destroySoon();
    else if (this.#early !== undefined) this.#handOver(this.#early);
  }

  /** A request under way, which may block for long, goes on. */
  endIfIdle(): void {
    if (this.#reply === undefined) this.#socket.destroy();
  }

  cut(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.#reply !== undefined) {
      this.#early = this.#early === undefined ? bytes : Buffer.concat([this.#early, bytes]);
      this.#socket.pause();
      return;
    }
    if (this.#socket.writableNeedDrain) {
      // It does not read its replies: node:http takes nothing more from it until it does.
      this.#handOver(bytes);
      return;
    }
    let request = readPlain(bytes, this.#needs.blocks, false);
    if (request === "unknown") {
      this.#newBlocks += 1;
      if (this.#newBlocks <= NEW_BLOCKS_MAX) request = readPlain(bytes, this.#needs.blocks, true);
    } else {
      this.#newBlocks = 0;
    }
    if (typeof request === "string") this.#handOver(bytes);
    else this.#serve(request);
  }

  #serve(request: PlainRequest): void {
    const { keepAliveTimeout } = this.#needs.times;
    if (this.#socket.timeout !== keepAliveTimeout) this.#socket.setTimeout(keepAliveTimeout);
    const reply = new PlainReply(request, this.#socket, this);
    this.#reply = reply;
    this.#needs.serve(request, reply);
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("error", this.#onError);
    socket.off("timeout", this.#onTimeout).off("close", this.#onClose);
    socket.setTimeout(0);
    this.#needs.left(this);
    this.#needs.handOver(socket);
    socket.unshift(bytes);
    socket.resume();
  }

  /** The client sends nothing more; as node:http, this takes it to be gone. */
  #ended(): void {
    this.#socket.end();
  }

  #closed(): void {
    this.#needs.left(this);
    this.#reply?.closed();
  }
}
