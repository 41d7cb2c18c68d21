// Requests over kept connections, one client for all; for what a load generator cannot do.
import { Agent, request } from "node:http";

export interface Reply {
  readonly status: number;
  readonly index: number;
  readonly text: string;
}

export class Requests {
  readonly #agent: Agent;

  constructor(connections = 64) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Rejects unless the answer is 200. */
  send(method: string, url: string, body?: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request(url, { method, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status !== 200) reject(new Error(`${method} ${url} answered ${status}: ${text.slice(0, 300)}`));
          else resolve({ status, index: Number(response.headers["x-nomad-index"] ?? 0), text });
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  async get<T>(url: string): Promise<T> {
    return JSON.parse((await this.send("GET", url)).text) as T;
  }

  async put<T>(url: string, body: unknown): Promise<T> {
    return JSON.parse((await this.send("PUT", url, JSON.stringify(body))).text) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Runs `work` for 0 to `count` - 1, so many at once. */
export async function inParallel(count: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const run = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, run));
}

/** A gauge of /v1/metrics; 0 when it is not there. */
export async function gauge(requests: Requests, http: string, name: string): Promise<number> {
  const { Gauges } = await requests.get<{ Gauges: { Name: string; Value: number }[] }>(`${http}/v1/metrics`);
  return Gauges.find((it) => it.Name.endsWith(name))?.Value ?? 0;
}
