// A kept HTTP connection that costs its process little: a thousand of node:http's take longer to read their answers than
// a server to give them.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

export class BareConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #reply = "";
  #beganMs = 0;
  #answered: ((beganMs: number) => void) | undefined;

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

  /** One request at a time. `ended` tells when its answer's first byte came, in ms of `performance.now`. */
  get(path: string): { written: Promise<void>; ended: Promise<number> } {
    const { promise: written, resolve: wrote } = Promise.withResolvers<void>();
    const { promise: ended, resolve: answered, reject } = Promise.withResolvers<number>();
    const fail = () => reject(new Error(`the connection closed before ${path} was answered`));
    this.#socket.once("close", fail);
    this.#answered = (beganMs) => {
      this.#socket.off("close", fail);
      answered(beganMs);
    };
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`, () => wrote());
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
    const [, length = "0"] = /content-length: (\d+)/i.exec(this.#reply.slice(0, headEnd)) ?? [];
    if (this.#reply.length < headEnd + HEAD_END.length + Number(length)) return;
    this.#reply = "";
    this.#answered?.(this.#beganMs);
  }
}
