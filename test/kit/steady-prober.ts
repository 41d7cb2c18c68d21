import { call, type Json } from "./api.ts";
import { mockTaskJob } from "./jobs.ts";
import { longestGap } from "./samples.ts";

const PAUSE_MS = 50;
const TRY_TIMEOUT_MS = 2_000;

/** Registers a job over and over, each time waiting until a worker has dealt with it. */
export class SteadyProber implements AsyncDisposable {
  /** When evaluations were seen to be complete, by `performance.now()`. */
  readonly processed: number[] = [];
  readonly #job: string;
  readonly #servers: readonly string[];
  #server = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  /** `servers`: HTTP addresses. It leaves one that fails it. */
  constructor(job: string, servers: readonly string[]) {
    this.#job = job;
    this.#servers = servers;
    this.#running = this.#run();
  }

  longestGap(from: number, to: number): number {
    return longestGap(this.processed, from, to);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const id = await this.#ask("PUT", `/v1/job/${this.#job}`, { Job: mockTaskJob(this.#job, { count: 0 }) });
      while (id !== undefined && !this.#stopped) {
        const evaluation = await this.#ask("GET", `/v1/evaluation/${id.EvalID}`);
        if (["complete", "canceled"].includes(evaluation?.Status)) {
          this.processed.push(performance.now());
          break;
        }
        await pause();
      }
      await pause();
    }
  }

  /** Undefined when no good answer came. */
  async #ask(method: string, path: string, body?: object): Promise<Json | undefined> {
    try {
      const answer = await call<Json>(method, `${this.#servers[this.#server]}${path}`, body, {
        timeoutMs: TRY_TIMEOUT_MS,
      });
      if (answer.status === 200) return answer.body;
    } catch {
      // Any failure to answer is the same to this client.
    }
    this.#server = (this.#server + 1) % this.#servers.length;
    return undefined;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
