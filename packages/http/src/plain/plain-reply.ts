import { type IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { PlainRequest } from "./plain-request.ts";

/** What the connection does for its replies. */
export interface ReplyEnds {
  /** Of the Date header. */
  date(): string;
  readonly keepAliveSeconds: number;
  /** The reply is given; `isLast`: it said that the connection ends with it. */
  replied(isLast: boolean): void;
}

const INVALID = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The reply to a plain request: what is used here of node:http's. One whose length is known goes out in one write;
 * for any other there is one of node:http's.
 */
export class PlainReply {
  statusCode = 200;
  headersSent = false;
  readonly #request: PlainRequest;
  readonly #socket: Socket;
  readonly #ends: ReplyEnds;
  #head = "";
  #isLast = false;
  #isGiven = false;
  #onClose: (() => void) | undefined;

  constructor(request: PlainRequest, socket: Socket, ends: ReplyEnds) {
    this.#request = request;
    this.#socket = socket;
    this.#ends = ends;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get writableFinished(): boolean {
    return this.#isGiven;
  }

  once(_event: "close", listener: () => void): void {
    this.#onClose = listener;
  }

  /** The connection has closed before the reply was given. */
  closed(): void {
    this.#onClose?.();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Throws for a value that no header can hold. */
  writeHead(status: number, head: readonly string[]): void {
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    let isLast = false;
    for (let i = 0; i < head.length; i += 2) {
      const [name, value] = [head[i] as string, head[i + 1] as string];
      if (INVALID.test(value))
        throw new Error(`header ${name} would hold invalid characters: ${JSON.stringify(value)}`);
      if (name === "Connection") isLast = value === "close";
      else text += `${name}: ${value}\r\n`;
    }
    const { keepAliveSeconds } = this.#ends;
    const connection = isLast ? "close" : `keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}`;
    this.#head = `${text}Date: ${this.#ends.date()}\r\nConnection: ${connection}\r\n\r\n`;
    this.#isLast = isLast;
    this.statusCode = status;
    this.headersSent = true;
  }

  /** `body` as text: characters up to U+00FF, a byte each. */
  end(body: string | Buffer = ""): void {
    if (typeof body === "string") {
      this.#socket.write(this.#head + body, "latin1");
    } else {
      this.#socket.cork();
      this.#socket.write(this.#head, "latin1");
      this.#socket.write(body);
      this.#socket.uncork();
    }
    this.#given(this.#isLast);
  }

  /** For a reply in pieces. */
  whole(): ServerResponse {
    // It looks at the method and the version.
    const whole = new ServerResponse(this.#request as unknown as IncomingMessage);
    const drained = () => whole.emit("drain");
    this.#socket.on("drain", drained);
    whole.assignSocket(this.#socket);
    whole.once("finish", () => {
      this.#socket.off("drain", drained);
      whole.detachSocket(this.#socket);
      this.#given(false);
    });
    this.headersSent = true;
    return whole;
  }

  #given(isLast: boolean): void {
    this.#isGiven = true;
    this.#onClose = undefined;
    this.#ends.replied(isLast);
  }
}
