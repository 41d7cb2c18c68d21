/**
 * Blocking queries on jobs, judged where they are answered: one that waits for a job is answered as soon as its server has
 * applied a change of that job after the client's index, and never with an index before it.
 */
import type { JobGetRequest, JobGetResponse } from "@steppe/proto";
import { type Changes, jobKey } from "@steppe/state";
import type { Kernel } from "../kernel/kernel.ts";
import type { Life } from "../kernel/life.ts";

/** What `GrpcNet` tells of calls, on the side of the server. */
export interface CallWatch {
  arrived(server: Life, path: string, request: object): object;
  answered(call: object, answer: object | undefined): void;
}

interface Waiting {
  readonly server: Life;
  readonly key: string;
  readonly minIndex: number;
  readonly arrivedMs: number;
}

const PATH = "/steppe.v1.Jobs/Get";
/** For a process that is slow, and for a clock that is. */
const PROMPT_MS = 100;

export class BlockingJudge implements CallWatch {
  readonly #kernel: Kernel;
  readonly #fail: (text: string) => void;
  /** By server and job: when each change was applied. */
  readonly #changes: WeakMap<Life, Map<string, { readonly index: number; readonly atMs: number }[]>> = new WeakMap();
  readonly #open: Set<Waiting> = new Set();
  /** Answers judged. */
  judged = 0;

  constructor(kernel: Kernel, fail: (text: string) => void) {
    this.#kernel = kernel;
    this.#fail = fail;
  }

  applied(server: Life, changes: Changes): void {
    let ofServer = this.#changes.get(server);
    if (ofServer === undefined) {
      ofServer = new Map();
      this.#changes.set(server, ofServer);
    }
    for (const key of changes.jobs) {
      const list = ofServer.get(key) ?? [];
      list.push({ index: changes.index, atMs: this.#kernel.nowMs });
      ofServer.set(key, list);
    }
  }

  arrived(server: Life, path: string, request: object): object {
    const { Query, JobID } = request as JobGetRequest;
    const isLocal = path === PATH && Query !== undefined && Query.MinQueryIndex > 0 && Query.AllowStale;
    // One for another region waits there, and is judged there.
    if (!isLocal || !(Query.Region === "" || server.name.startsWith(`${Query.Region}-`))) return {};
    const key = jobKey(Query.Namespace || "default", JobID);
    const waiting: Waiting = { server, key, minIndex: Query.MinQueryIndex, arrivedMs: this.#kernel.nowMs };
    this.#open.add(waiting);
    return waiting;
  }

  answered(call: object, answer: object | undefined): void {
    const waiting = call as Waiting;
    if (!this.#open.delete(waiting) || answer === undefined) return;
    this.judged += 1;
    this.#judge(waiting);
    const { Job, Meta } = answer as JobGetResponse;
    if (Job !== undefined && (Meta?.Index ?? 0) < Job.ModifyIndex) {
      this.#fail(`${waiting.server.name} told index ${Meta?.Index} with ${waiting.key} of index ${Job.ModifyIndex}`);
    }
  }

  /** At the end of a run, those that still wait. */
  judgeOpen(): void {
    for (const waiting of this.#open) if (waiting.server.isAlive) this.#judge(waiting);
  }

  #judge({ server, key, minIndex, arrivedMs }: Waiting): void {
    const missed = this.#changes
      .get(server)
      ?.get(key)
      ?.find(({ index }) => index > minIndex);
    if (missed === undefined || !server.isAlive) return;
    const heardMs = Math.max(missed.atMs, arrivedMs, Math.min(server.lateUntilMs, this.#kernel.nowMs));
    const lateMs = this.#kernel.nowMs - heardMs;
    if (lateMs <= PROMPT_MS) return;
    const wait = `a query for ${key} after index ${minIndex}`;
    this.#fail(`${server.name} held ${wait} for ${lateMs.toFixed(0)} ms after it had applied change ${missed.index}`);
  }
}
