// A kept HTTP connection that costs its process little: a thousand of node:http's take longer to read their answers than
// a server to give them, and one takes a quarter of a millisecond from an answer's first byte to its text.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

export interface Answer {
  /** When its first byte came, in ms of `performance.now`. */
  readonly beganMs: number;
  /** Its status line and headers. */
  readonly head: string;
  readonly body: string;
}

export class BareConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #reply = "";
  #beganMs = 0;
  #answered: ((answer: Answer) => void) | undefined;

  /** `http`: `http://host:port`. */
  static async open(http: string): Promise<BareConnection> {
    const { hostname, port, host } = new URL(http);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, "connect");
    return new BareConnection(socket, host);
  }

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setEncoding("latin1").on("data", (text: string) => this.#take(text));
  }

  /** One request at a time; `body` in ASCII. */
  send(method: string, path: string, body = ""): { written: Promise<void>; ended: Promise<Answer> } {
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>();
    const { promise: ended, resolve: answered, reject } = Promise.withResolvers<Answer>();
    const fail = () => reject(new Error(`the connection closed before ${path} was answered`));
    this.#socket.once("close", fail);
    this.#answered = (answer) => {
      this.#socket.off("close", fail);
      answered(answer);
    };
    const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${length}\r\n${body}`, () => wrote());
    return { written, ended };
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    if (this.#reply === "") this.#beganMs = performance.now();
    this.#reply += text;
    const headEnd = this.#reply.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#reply.slice(0, headEnd);
    const [, length = "0"] = /content-length: (\d+)/i.exec(head) ?? [];
    const bodyBegin = headEnd + HEAD_END.length;
    if (this.#reply.length < bodyBegin + Number(length)) return;
    const body = this.#reply.slice(bodyBegin);
    this.#reply = "";
    this.#answered?.({ beganMs: this.#beganMs, head, body });
  }
}
