// Commands in tasks, over websockets that carry the API's JSON messages both ways.
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Call, SteppeError } from "@steppe/model";
import { type ClientInputRequest, QueryOptions } from "@steppe/proto";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { HttpNeeds, RegionServices } from "./needs.ts";
import type { CompleteOptions } from "./options.ts";
import { type Params, parseBool, parseParams } from "./request/params.ts";
import { resolveRegion } from "./request/region.ts";
import { readJson, type TerminalRequest, terminalRequest } from "./terminal-requests.ts";

/** The API's close codes are these and an HTTP status. */
const CLOSE_BASE = 4000;
const NOT_ALLOWED = "websocket: request origin not allowed by Upgrader.CheckOrigin";
/** One message of input; clients send a few kilobytes. */
const MESSAGE_MAX = 1024 * 1024;

/** Takes over connections that ask for a websocket; others than those of terminal-requests.ts are refused. */
export class TerminalCalls {
  readonly #needs: HttpNeeds;
  readonly #timeoutMs: number;
  readonly #allowedOrigins: readonly string[];
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX });
  readonly #closing = new AbortController();

  constructor(needs: HttpNeeds, { timeoutMs, cors }: Pick<CompleteOptions, "timeoutMs" | "cors">) {
    this.#needs = needs;
    this.#timeoutMs = timeoutMs;
    this.#allowedOrigins = cors?.allowedOrigins ?? [];
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const [path = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
    const asked = terminalRequest(path);
    if (asked === undefined) {
      refuse(socket, "404 Not Found", "");
    } else if (!this.#mayAsk(request.headers)) {
      refuse(socket, "403 Forbidden", `failed to upgrade connection: ${NOT_ALLOWED}`);
    } else {
      this.#sockets.handleUpgrade(request, socket, head, (open) => void this.#serve(open, asked, parseParams(query)));
    }
  }

  /** Browsers ask no leave for websockets: a page of anywhere could run commands in whatever it can reach. */
  #mayAsk({ origin, host = "" }: IncomingMessage["headers"]): boolean {
    if (origin === undefined || this.#allowedOrigins.includes("*") || this.#allowedOrigins.includes(origin))
      return true;
    return URL.canParse(origin) && new URL(origin).host.toLowerCase() === host.toLowerCase();
  }

  close(): void {
    this.#closing.abort();
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  /** Never rejects. */
  async #serve(socket: WebSocket, asked: TerminalRequest, params: Params): Promise<void> {
    const leaving = new AbortController();
    socket.once("close", () => leaving.abort());
    // What is wrong with a connection ends it; its end is what matters here.
    socket.on("error", () => leaving.abort());
    const signal = AbortSignal.any([leaving.signal, this.#closing.signal]);
    const call: Call = { signal, timeoutMs: this.#timeoutMs };
    const inbox = new Inbox(socket, signal);
    try {
      const token = parseBool(params.ws_handshake ?? "") === true ? tokenOf(await inbox.next()) : "";
      await this.#pass(socket, inbox, asked, params, token, call);
      socket.close(1000);
    } catch (error) {
      if (signal.aborted) return;
      const status = error instanceof SteppeError ? (STATUS[error.code] ?? 500) : 500;
      if (!(error instanceof SteppeError)) this.#needs.logger.warn({ err: error }, "exec failed");
      // The protocol allows 123 bytes of reason.
      const reason = Buffer.from(error instanceof Error ? error.message : String(error)).subarray(0, 120);
      socket.close(CLOSE_BASE + status, reason);
    }
  }

  async #pass(
    socket: WebSocket,
    inbox: Inbox,
    asked: TerminalRequest,
    params: Params,
    token: string,
    call: Call,
  ): Promise<void> {
    const Region = resolveRegion(this.#needs, params.region ?? "");
    const Query = { ...QueryOptions.create(), Region, Namespace: params.namespace ?? "", AuthToken: token };
    const services = this.#needs.route(Region);
    const { clientCalls } = services;
    const { AllocID, Method, Arguments } = await asked(params, Query, services, call);
    const CallID = randomUUID();
    const names = { CallID, NodeID: "", AllocID };
    const request = { Query, ...names, Method, Arguments: JSON.stringify(Arguments), Local: false };
    const frames = clientCalls.open(request, call)[Symbol.asyncIterator]();
    // The node says when it has begun: input that comes before would find nobody.
    const first = await frames.next();
    this.#passInput(inbox, { Query, CallID, NodeID: "", Local: false }, clientCalls, call).catch((error: unknown) => {
      if (!call.signal.aborted) this.#needs.logger.warn({ err: error }, "input of exec could not be passed on");
      socket.terminate();
    });
    for (let next = first; next.done !== true; next = await frames.next()) {
      if (next.value.Data.length > 0) await send(socket, next.value.Data);
    }
  }

  /** In order: each piece waits for the one before it. Ends with the call. */
  async #passInput(
    inbox: Inbox,
    names: Omit<ClientInputRequest, "Data">,
    clientCalls: RegionServices["clientCalls"],
    call: Call,
  ): Promise<void> {
    for (;;) await clientCalls.input({ ...names, Data: await inbox.next() }, call);
  }
}

function refuse(socket: Duplex, status: string, text: string): void {
  const headers = ["Content-Type: text/plain; charset=utf-8", `Content-Length: ${Buffer.byteLength(text)}`];
  socket.end([`HTTP/1.1 ${status}`, ...headers, "Connection: close", "", text].join("\r\n"));
}

/** What the client sent and nobody has taken yet. */
class Inbox {
  readonly #waiting: Uint8Array[] = [];
  readonly #signal: AbortSignal;
  #arrived: () => void = () => undefined;

  constructor(socket: WebSocket, signal: AbortSignal) {
    this.#signal = signal;
    socket.on("message", (data: RawData) => {
      this.#waiting.push(bytesOf(data));
      this.#arrived();
    });
    signal.addEventListener("abort", () => this.#arrived());
  }

  /** Rejects when the connection ends. */
  async next(): Promise<Uint8Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) return next;
      this.#signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}

const STATUS: Readonly<Partial<Record<string, number>>> = { invalid: 400, "not-found": 404, "permission-denied": 403 };

/** The first message of a client that asked for a handshake. */
function tokenOf(message: Uint8Array): string {
  const value = readJson(Buffer.from(message).toString("utf8")) as
    | { version?: unknown; auth_token?: unknown }
    | undefined;
  if (value?.version !== 1) throw new SteppeError("invalid", `unexpected handshake value: ${String(value?.version)}`);
  return typeof value.auth_token === "string" ? value.auth_token : "";
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function send(socket: WebSocket, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // A piece may be part of a message only where it is larger than any the node sends.
    socket.send(Buffer.from(data).toString("utf8"), (error) => (error ? reject(error) : resolve()));
  });
}
