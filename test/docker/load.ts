// Clients of all regions, who write, read, dispatch and look, and write down what they did and were told.
import { randomUUID } from "node:crypto";
import type { JobCall, JobResult, Operation } from "@steppe/sim";
import type { Json } from "../kit/api.ts";
import { mockTaskJob } from "../kit/jobs.ts";
import { type DockerCluster, REGIONS, type Region } from "./cluster.ts";

export type Step = Operation<JobCall, JobResult>;

/** One operation of a client, tries on several servers included. Times are of `performance.now()`. */
export interface Done {
  readonly region: Region;
  readonly client: string;
  readonly kind: "write" | "read" | "dispatch" | "schedule" | "forward";
  readonly start: number;
  readonly end: number;
  readonly outcome: "ok" | "failed" | "unknown";
  /** Of a dispatch. */
  readonly mark?: string;
  /** Of a forwarded read: where to, and what came. */
  readonly to?: Region;
  readonly text?: string;
}

export interface Steadiness {
  readonly region: Region;
  readonly at: number;
  readonly running: number;
}

/** Tasks of the job that must be running again after every fault. */
export const STEADY = 4;

const TRY_TIMEOUT_MS = 2_000;
const OPERATION_TIMEOUT_MS = 15_000;
const PAUSE_MS = 25;
const FORWARD_TIMEOUT_MS = 12_000;

type Reply = { readonly status: number; readonly body: Json; readonly text: string };

export class Load {
  readonly done: Done[] = [];
  readonly history: Step[] = [];
  readonly steadiness: Steadiness[] = [];
  readonly #cluster: DockerCluster;
  readonly #run: string;
  readonly #dispatches: boolean;
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];
  #count = 0;
  /** Modify index of each register, as last told. */
  #indexes = new Map<string, number>();

  /** `run` makes the names of jobs this run's own. `dispatches` false: for versions without. */
  constructor(cluster: DockerCluster, run: string, dispatches = true) {
    this.#cluster = cluster;
    this.#run = run;
    this.#dispatches = dispatches;
  }

  /** Registers the jobs that dispatches and steadiness are about, then starts all clients. */
  async start(): Promise<void> {
    for (const region of REGIONS) await this.#prepare(region);
    const { signal } = this.#stopping;
    const loop = async (work: () => Promise<void>, pauseMs: number) => {
      while (!signal.aborted) {
        await work();
        await pause(pauseMs, signal);
      }
    };
    for (const region of REGIONS) {
      for (let n = 0; n < 2; n++) {
        const client = new Client(this.#cluster, region, n);
        this.#loops.push(loop(() => this.#operate(client, `${region}-w${n}`), PAUSE_MS));
      }
      const [prober, watcher] = [new Client(this.#cluster, region, 2), new Client(this.#cluster, region, 1)];
      this.#loops.push(loop(() => this.#schedule(prober), 250));
      this.#loops.push(loop(() => this.#look(watcher), 500));
      for (const to of REGIONS) if (to !== region) this.#loops.push(loop(() => this.#forward(region, to), 400));
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  /** Marks of all dispatched jobs that are there. */
  async effects(): Promise<string[]> {
    const all = await Promise.all(
      REGIONS.map(async (region) => {
        const client = new Client(this.#cluster, region, 0);
        const { last } = await client.send("GET", `/v1/jobs?prefix=${this.#run}-par/&meta=true&consistent`);
        if (last?.status !== 200) throw new Error(`listing what was dispatched in ${region} answered ${last?.text}`);
        return last.body.map((job: Json) => job.Meta?.mark as string);
      }),
    );
    return all.flat();
  }

  /** Purges all jobs of this run. */
  async cleanUp(): Promise<void> {
    for (const region of REGIONS) {
      const client = new Client(this.#cluster, region, 0);
      const { last } = await client.send("GET", `/v1/jobs?prefix=${this.#run}-`);
      const ids: string[] = last?.status === 200 ? last.body.map((job: Json) => job.ID) : [];
      for (const id of ids) await client.send("DELETE", `/v1/job/${encodeURIComponent(id)}?purge=true`);
    }
  }

  async #prepare(region: Region): Promise<void> {
    const client = new Client(this.#cluster, region, 0);
    const jobs: object[] = [mockTaskJob(`${this.#run}-steady`, { count: STEADY, config: { run_for: "24h" } })];
    if (this.#dispatches) {
      const job = { ParameterizedJob: { Payload: "optional", MetaRequired: ["mark"] } };
      jobs.push(mockTaskJob(`${this.#run}-par`, { type: "batch", config: { run_for: "10ms" }, job }));
    }
    for (const job of jobs) {
      const { last } = await client.send("PUT", "/v1/jobs", { Job: job });
      if (last?.status !== 200) throw new Error(`${region} did not take the jobs of the load: ${last?.text}`);
    }
  }

  async #operate(client: Client, name: string): Promise<void> {
    const dice = Math.random();
    const job = `${this.#run}-reg-${Math.floor(Math.random() * 3)}`;
    if (dice < 0.25) return this.#read(client, name, job);
    if (dice < 0.35 && this.#dispatches) return this.#dispatch(client, name);
    return this.#register(client, name, job, dice > 0.8);
  }

  async #register(client: Client, name: string, job: string, cas: boolean): Promise<void> {
    const key = `${client.region}/${job}`;
    const mark = `${name}-${++this.#count}`;
    const index = this.#indexes.get(key) ?? 0;
    const body = {
      Job: mockTaskJob(job, { count: 0, job: { Meta: { mark } } }),
      ...(cas && { EnforceIndex: true, JobModifyIndex: index }),
    };
    const call: JobCall = cas ? { op: "cas", mark, index } : { op: "register", mark };
    const { start, end, outcome, last } = await client.send("PUT", "/v1/jobs", body);
    const refused = last?.status !== 200;
    if (outcome === "ok" && !refused) this.#indexes.set(key, last?.body.JobModifyIndex);
    const result = { applied: !refused, index: refused ? 0 : last?.body.JobModifyIndex };
    this.#note(client, name, "write", { start, end, outcome });
    this.history.push({ client: name, key, call, start, end, outcome, ...(outcome === "ok" && { result }) });
  }

  async #read(client: Client, name: string, job: string): Promise<void> {
    const key = `${client.region}/${job}`;
    const { start, end, outcome, last } = await client.send("GET", `/v1/job/${job}?consistent`);
    this.#note(client, name, "read", { start, end, outcome });
    if (outcome !== "ok") return;
    const found = last?.status === 200;
    const result = found
      ? { mark: last.body.Meta?.mark ?? null, index: last.body.JobModifyIndex, stopped: last.body.Stop === true }
      : { mark: null, index: 0, stopped: false };
    this.history.push({ client: name, key, call: { op: "read" }, start, end, outcome, result });
  }

  async #dispatch(client: Client, name: string): Promise<void> {
    const mark = `${client.region}-${name}-${++this.#count}`;
    const { start, end, outcome } = await client.send("PUT", `/v1/job/${this.#run}-par/dispatch`, { Meta: { mark } });
    this.#note(client, name, "dispatch", { start, end, outcome, mark });
  }

  /** Registers, and waits until a worker has dealt with it. */
  async #schedule(client: Client): Promise<void> {
    const mark = `probe-${++this.#count}`;
    const job = mockTaskJob(`${this.#run}-probe`, { count: 0, job: { Meta: { mark } } });
    const { start, outcome, last } = await client.send("PUT", "/v1/jobs", { Job: job });
    if (outcome !== "ok" || last?.status !== 200) return;
    const id = last.body.EvalID;
    while (!this.#stopping.signal.aborted) {
      const answer = await client.send("GET", `/v1/evaluation/${id}?stale`);
      if (["complete", "canceled"].includes(answer.last?.body?.Status)) {
        return this.#note(client, "prober", "schedule", { start, end: performance.now(), outcome: "ok" });
      }
      await pause(50, this.#stopping.signal);
    }
  }

  async #look(client: Client): Promise<void> {
    const { last } = await client.send("GET", `/v1/job/${this.#run}-steady/allocations?stale`);
    if (last?.status !== 200) return;
    const running = last.body.filter((it: Json) => it.DesiredStatus === "run" && it.ClientStatus === "running").length;
    this.steadiness.push({ region: client.region, at: performance.now(), running });
  }

  /** Through a server of `region` that is alive, into another region; not tried again. */
  async #forward(region: Region, to: Region): Promise<void> {
    const client = new Client(this.#cluster, region, 1);
    const start = performance.now();
    try {
      const reply = await client.once("GET", `/v1/jobs?region=${to}&prefix=none`, undefined, "", FORWARD_TIMEOUT_MS);
      const outcome = reply.status === 200 ? "ok" : "failed";
      this.done.push({
        region,
        client: "crosser",
        kind: "forward",
        start,
        end: performance.now(),
        outcome,
        to,
        text: reply.text.slice(0, 80),
      });
    } catch (error) {
      // What a broken server of the own region does to this is not what is measured.
      if (!(error instanceof DOMException && error.name === "TimeoutError")) return;
      this.done.push({
        region,
        client: "crosser",
        kind: "forward",
        start,
        end: performance.now(),
        outcome: "unknown",
        to,
        text: String(error),
      });
    }
  }

  #note(
    { region }: Client,
    client: string,
    kind: Done["kind"],
    told: Pick<Done, "start" | "end" | "outcome" | "mark">,
  ): void {
    this.done.push({ region, client, kind, ...told });
  }
}

interface Sent {
  readonly start: number;
  readonly end: number;
  readonly outcome: Done["outcome"];
  readonly last: Reply | undefined;
}

/** Stays with a server as long as it answers, and tries the others, with the same key, when it does not. */
class Client {
  readonly region: Region;
  readonly #cluster: DockerCluster;
  #server: number;

  constructor(cluster: DockerCluster, region: Region, server: number) {
    this.#cluster = cluster;
    this.region = region;
    this.#server = server % cluster.names(region, "server").length;
  }

  async send(method: string, path: string, body?: object): Promise<Sent> {
    const key = method === "GET" ? "" : randomUUID();
    const start = performance.now();
    let reached = false;
    let last: Reply | undefined;
    for (let tries = 1; performance.now() - start < OPERATION_TIMEOUT_MS; tries++) {
      try {
        last = await this.once(method, path, body, key, TRY_TIMEOUT_MS);
        const verdict = judge(last, method);
        if (verdict === "answered") return { start, end: performance.now(), outcome: "ok", last };
        reached ||= verdict === "unknown";
      } catch (error) {
        reached ||= !isConnectionError(error);
      }
      this.#server = (this.#server + 1) % this.#cluster.names(this.region, "server").length;
      // A round over all servers has failed: not at once again.
      if (tries % 3 === 0) await pause(50, NEVER);
    }
    return { start, end: performance.now(), outcome: reached ? "unknown" : "failed", last };
  }

  /** Rejects when no answer came. */
  async once(method: string, path: string, body: object | undefined, key: string, timeoutMs: number): Promise<Reply> {
    const server = this.#cluster.names(this.region, "server")[this.#server] as string;
    const response = await fetch(`${await this.#cluster.url(server)}${path}`, {
      method,
      headers: key === "" ? {} : { "Idempotency-Key": key },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    const unknown = response.headers.get("steppe-outcome") === "unknown";
    return { status: unknown ? 504 : response.status, body: isJson && text !== "" ? JSON.parse(text) : text, text };
  }
}

/** `answered`: final, be it yes or no. `nothing`: known to have had no effect. */
function judge({ status, text }: Reply, method: string): "answered" | "nothing" | "unknown" {
  if (status === 200 || (status === 404 && method === "GET")) return "answered";
  if (status === 500 && text.includes("Enforcing job modify index")) return "answered";
  if (status === 503 || (status === 500 && /No cluster leader|No path to region/.test(text))) return "nothing";
  return "unknown";
}

/** The request went nowhere. */
function isConnectionError(error: unknown): boolean {
  const code = (error as { cause?: { code?: string } }).cause?.code ?? "";
  return ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "UND_ERR_CONNECT_TIMEOUT"].includes(code) || noAddress(error);
}

/** The container is down, so that it has none. */
function noAddress(error: unknown): boolean {
  return error instanceof Error && / has no address on /.test(error.message);
}

const NEVER = new AbortController().signal;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
