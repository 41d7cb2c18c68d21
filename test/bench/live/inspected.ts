// What a running server keeps, asked of V8 through its inspector: it is switched on by SIGUSR1, so that nothing of it is
// there while speed is measured.
import { once } from "node:events";
import type { Started } from "../../kit/process.ts";

/** For the process's environment: its inspector takes any free port. */
export const INSPECTED: NodeJS.ProcessEnv = { NODE_OPTIONS: "--inspect-port=127.0.0.1:0" };

const START_TIMEOUT_MS = 30_000;

interface Reply {
  readonly id?: number;
  readonly result?: object;
}

export class Inspected implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: object) => void>();
  #count = 0;

  static async open(process: Started): Promise<Inspected> {
    process.signal("SIGUSR1");
    const { msg } = await process.line((line) => line.msg.startsWith("Debugger listening on "), START_TIMEOUT_MS);
    const socket = new WebSocket(msg.slice(msg.indexOf("ws://")));
    await once(socket, "open");
    return new Inspected(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(data as string) as Reply));
  }

  /** Bytes of its heap and of what hangs on it outside, after garbage was collected. The server is slower afterwards. */
  async liveBytes(): Promise<number> {
    await this.#send("HeapProfiler.enable");
    // What ends with finalizers goes in the second one.
    await this.#send("HeapProfiler.collectGarbage");
    await this.#send("HeapProfiler.collectGarbage");
    const usage = (await this.#send("Runtime.getHeapUsage")) as Record<string, number>;
    return (usage.usedSize ?? 0) + (usage.embedderHeapUsedSize ?? 0) + (usage.backingStorageSize ?? 0);
  }

  #send(method: string): Promise<object> {
    const id = ++this.#count;
    const { promise, resolve } = Promise.withResolvers<object>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method }));
    return promise;
  }

  #take({ id, result }: Reply): void {
    if (id === undefined) return;
    this.#waiting.get(id)?.(result ?? {});
    this.#waiting.delete(id);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
