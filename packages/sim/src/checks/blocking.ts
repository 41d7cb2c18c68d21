/**
 * Blocking queries on jobs, judged where they are answered: one that waits for a job is answered as soon as its server has
 * applied and kept a change of that job after the client's index. Judged from the state, not from what the state says it changed.
 */
import type { JobGetRequest, JobGetResponse } from "@steppe/proto";
import { jobKey, type StateView } from "@steppe/state";
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
  /** The change that it waits for, once that is applied and kept there. */
  due: { readonly index: number; readonly atMs: number } | undefined;
}

const PATH = "/steppe.v1.Jobs/Get";
/** For a process that is slow, and for a clock that is. */
const PROMPT_MS = 100;

export class BlockingJudge implements CallWatch {
  readonly #kernel: Kernel;
  readonly #fail: (text: string) => void;
  readonly #views: WeakMap<Life, StateView> = new WeakMap();
  readonly #open: Set<Waiting> = new Set();
  /** Answers judged. */
  judged = 0;

  constructor(kernel: Kernel, fail: (text: string) => void) {
    this.#kernel = kernel;
    this.#fail = fail;
  }

  /** That server's replica has applied and kept an entry. */
  kept(server: Life, view: StateView): void {
    this.#views.set(server, view);
    for (const waiting of this.#open) if (waiting.server === server) this.#look(waiting, view);
  }

  arrived(server: Life, path: string, request: object): object {
    const { Query, JobID } = request as JobGetRequest;
    const isBlocking = path === PATH && Query !== undefined && Query.MinQueryIndex > 0 && Query.AllowStale;
    // One for another region waits there, and is judged there.
    if (!isBlocking || !(Query.Region === "" || server.name.startsWith(`${Query.Region}-`))) return {};
    const key = jobKey(Query.Namespace || "default", JobID);
    const waiting: Waiting = { server, key, minIndex: Query.MinQueryIndex, due: undefined };
    this.#open.add(waiting);
    const view = this.#views.get(server);
    if (view !== undefined) this.#look(waiting, view);
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
    for (const waiting of this.#open) this.#judge(waiting);
  }

  #look(waiting: Waiting, view: StateView): void {
    const index = view.jobs.byKey.get(waiting.key)?.job.ModifyIndex ?? 0;
    if (waiting.due === undefined && index > waiting.minIndex) waiting.due = { index, atMs: this.#kernel.nowMs };
  }

  #judge({ server, key, minIndex, due }: Waiting): void {
    if (due === undefined || !server.isAlive) return;
    const lateMs = this.#kernel.nowMs - Math.max(due.atMs, Math.min(server.lateUntilMs, this.#kernel.nowMs));
    if (lateMs <= PROMPT_MS) return;
    const wait = `a query for ${key} after index ${minIndex}`;
    this.#fail(`${server.name} held ${wait} for ${lateMs.toFixed(0)} ms after it had kept change ${due.index}`);
  }
}
