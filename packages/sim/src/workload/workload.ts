/**
 * What clients do while faults come and go, and the histories that the checkers judge. Every register and compare-and-set
 * carries a mark of its own.
 */
import type { Job } from "@steppe/proto";
import type { MarkedWrite } from "../checkers/exactly-once.ts";
import type { Operation } from "../checkers/history.ts";
import type { JobCall, JobResult } from "../checkers/job-register.ts";
import type { Region, World } from "../world/world.ts";
import { Client, type Result } from "./client.ts";
import { batchJob, periodicJob, serviceJob } from "./jobs.ts";

type History = Operation<JobCall, JobResult>[];
type Outcome = "ok" | "failed" | "unknown";

const JOBS = 2;
/** Between two operations of a client. */
const THINK_MS = [10, 500] as const;

export class Workload {
  readonly history: History = [];
  readonly writes: MarkedWrite[] = [];
  readonly #world: World;
  readonly #clients: Client[] = [];
  /** Largest index that a write was acknowledged with, by region. */
  readonly #indexes: Map<Region, number> = new Map();
  #untilMs = 0;
  #open = 0;
  #marks = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Nobody waits for an answer any more. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  start(untilMs: number): void {
    this.#untilMs = untilMs;
    for (const region of this.#world.regions) {
      for (let n = 0; n < 3; n++) this.#loop(region, `client${n}`, (client) => this.#operate(client, region));
      this.#loop(region, "batches", (client) => this.#submitBatch(client, region));
      this.#loop(region, "operator", (client) => this.#operateNodes(client, region));
      this.#loop(region, "watcher", (client) => this.#watch(client, region));
      this.#once(region, "scheduler", (client) => this.#submitPeriodic(client, region));
    }
  }

  /** Undoes what operators did to nodes, so that jobs can reach their counts. */
  restoreNodes(): void {
    for (const region of this.#world.regions) {
      this.#once(region, "restorer", async (client) => {
        for (const { nodeId } of region.nodes) {
          const request = {
            Write: client.write(region),
            NodeID: nodeId,
            DrainSpec: undefined,
            MarkEligible: true,
            Meta: {},
          };
          await client.call("nodes", "drain", request, { tries: 10 });
        }
      });
    }
  }

  #client(region: Region, name: string): Client {
    const client = new Client(this.#world, `${region.name}-${name}`);
    this.#clients.push(client);
    return client;
  }

  #once(region: Region, name: string, act: (client: Client) => Promise<void>): void {
    const client = this.#client(region, name);
    client.life.post(this.#world.kernel.nowMs, "begins", () => void this.#counted(act(client)));
  }

  #loop(region: Region, name: string, act: (client: Client) => Promise<void>): void {
    const client = this.#client(region, name);
    const run = async () => {
      while (this.#world.kernel.nowMs < this.#untilMs) {
        await client.life.clock.after(client.random.between(...THINK_MS));
        await act(client);
      }
    };
    client.life.post(this.#world.kernel.nowMs, "begins", () => void this.#counted(run()));
  }

  async #counted(work: Promise<void>): Promise<void> {
    this.#open += 1;
    try {
      await work;
    } finally {
      this.#open -= 1;
    }
  }

  #mark(client: Client): string {
    this.#marks += 1;
    return `${client.life.name}/${this.#marks}`;
  }

  /** Writes and reads jobs as registers. */
  async #operate(client: Client, region: Region): Promise<void> {
    const id = `web-${client.random.below(JOBS)}`;
    const draw = client.random.fraction();
    if (draw < 0.35) await this.#read(client, region, id);
    else if (draw < 0.6) await this.#register(client, region, id);
    else if (draw < 0.9) await this.#compareAndSet(client, region, id);
    else await this.#deregister(client, region, id);
  }

  async #read(client: Client, region: Region, id: string): Promise<number> {
    const Query = client.query(region, { Consistent: client.random.chance(0.6) });
    const result = await this.#recorded(client, region, id, { op: "read" }, async () => {
      const got = await client.call("jobs", "get", { Query, JobID: id });
      return settled(got, ({ Job }) =>
        Job === undefined
          ? { mark: null, index: 0, stopped: false }
          : { mark: Job.Meta.mark ?? "", index: Job.JobModifyIndex, stopped: Job.Stop },
      );
    });
    return result?.index ?? 0;
  }

  async #register(client: Client, region: Region, id: string): Promise<void> {
    const mark = this.#mark(client);
    const Job = serviceJob(region.name, id, mark, client.random);
    await this.#recorded(client, region, id, { op: "register", mark }, async () => {
      const got = await this.#submit(client, region, Job);
      return this.#noted(
        mark,
        settled(got, ({ JobModifyIndex }) => ({ applied: true, index: JobModifyIndex })),
      );
    });
  }

  /** No rule forbids what is registered here without a condition. */
  async #submit(client: Client, region: Region, Job: Job) {
    const got = await client.call("jobs", "register", { ...BLANK, Write: client.write(region), Job });
    if (got.kind === "refused") this.#world.fail("workload", `${Job.ID} was refused: ${got.error.message}`);
    return got;
  }

  /** On what it read just before, as tools do; sometimes on nothing being there. */
  async #compareAndSet(client: Client, region: Region, id: string): Promise<void> {
    const index = client.random.chance(0.2) ? 0 : await this.#read(client, region, id);
    const mark = this.#mark(client);
    const Job = serviceJob(region.name, id, mark, client.random);
    await this.#recorded(client, region, id, { op: "cas", mark, index }, async () => {
      const guard = { EnforceIndex: true, JobModifyIndex: index };
      const got = await client.call("jobs", "register", { ...BLANK, ...guard, Write: client.write(region), Job });
      if (got.kind === "refused") {
        this.writes.push({ mark, outcome: "failed" });
        return { outcome: "ok", result: { applied: false, index: 0 } };
      }
      return this.#noted(
        mark,
        settled(got, ({ JobModifyIndex }) => ({ applied: true, index: JobModifyIndex })),
      );
    });
  }

  async #deregister(client: Client, region: Region, id: string): Promise<void> {
    const purge = client.random.chance(0.5);
    await this.#recorded(client, region, id, { op: "deregister", purge }, async () => {
      const request = { Write: client.write(region), JobID: id, Purge: purge, EvalPriority: 0, NoShutdownDelay: false };
      const got = await client.call("jobs", "deregister", { ...NO_DEREGISTER, ...request });
      return settled(got, ({ JobModifyIndex }) => ({ applied: true, index: JobModifyIndex }));
    });
  }

  async #submitBatch(client: Client, region: Region): Promise<void> {
    await client.life.clock.after(client.random.between(500, 4000));
    const mark = this.#mark(client);
    const Job = batchJob(region.name, `batch-${mark.split("/")[1]}`, mark, client.random);
    this.#noted(
      mark,
      settled(await this.#submit(client, region, Job), () => undefined),
    );
  }

  async #submitPeriodic(client: Client, region: Region): Promise<void> {
    for (let n = 0; n < 10; n++) {
      const mark = this.#mark(client);
      const Job = periodicJob(region.name, "cron", mark);
      const got = await this.#submit(client, region, Job);
      this.#noted(
        mark,
        settled(got, () => undefined),
      );
      if (got.kind === "ok") return;
      await client.life.clock.after(500);
    }
  }

  /** Drains a node for a while, or takes it out of scheduling. */
  async #operateNodes(client: Client, region: Region): Promise<void> {
    await client.life.clock.after(client.random.between(2000, 9000));
    const { nodeId } = client.random.pick(region.nodes);
    const drain = client.random.chance(0.6);
    const Deadline = client.random.between(500, 4000) * 1e6;
    const spec = drain ? { Deadline: Math.round(Deadline), IgnoreSystemJobs: false } : undefined;
    const request = { Write: client.write(region), NodeID: nodeId, DrainSpec: spec, MarkEligible: true, Meta: {} };
    if (client.random.chance(0.7)) {
      await client.call("nodes", "drain", request);
      await client.life.clock.after(client.random.between(1000, 5000));
      const back = { ...request, Write: client.write(region), DrainSpec: undefined };
      await client.call("nodes", "drain", back);
      return;
    }
    const eligibility = (Eligibility: string) => ({ Write: client.write(region), NodeID: nodeId, Eligibility });
    await client.call("nodes", "eligibility", eligibility("ineligible"));
    await client.life.clock.after(client.random.between(500, 3000));
    await client.call("nodes", "eligibility", eligibility("eligible"));
  }

  /** Follows one job by blocking queries at one server, until that server is gone. */
  async #watch(client: Client, region: Region): Promise<void> {
    const id = `web-${client.random.below(JOBS)}`;
    const { address } = client.random.pick(region.servers);
    let index = 1;
    let created = 0;
    for (let n = 0; n < 10 && this.#world.kernel.nowMs < this.#untilMs; n++) {
      const Query = client.query(region, { AllowStale: true, MinQueryIndex: index, MaxQueryTime: 3e9 });
      const got = await client.call("jobs", "get", { Query, JobID: id }, { address, tries: 1 });
      if (got.kind !== "ok") return;
      const { Meta, Job } = got.value;
      const next = Meta?.Index ?? 0;
      const isSame = Job !== undefined && Job.CreateIndex === created;
      if (isSame && next < index) this.#world.fail("blocking", `${address} told ${id} at ${next} after ${index}`);
      created = Job?.CreateIndex ?? 0;
      index = Math.max(1, next);
    }
  }

  #noted<R>(mark: string, settledAs: { readonly outcome: Outcome; readonly result?: R }) {
    this.writes.push({ mark, outcome: settledAs.outcome });
    return settledAs;
  }

  /** A registration that was sent when another had been acknowledged has a larger index than that. */
  #checkIndex(region: Region, id: string, result: JobResult, before: number): void {
    if (!("applied" in result) || !result.applied) return;
    const { index } = result;
    if (index <= before)
      this.#world.fail("index", `${id} of ${region.name} was acknowledged at ${index} after ${before}`);
    this.#indexes.set(region, Math.max(index, this.#indexes.get(region) ?? 0));
  }

  async #recorded(
    client: Client,
    region: Region,
    id: string,
    call: JobCall,
    act: () => Promise<{ readonly outcome: Outcome; readonly result?: JobResult }>,
  ): Promise<JobResult | undefined> {
    const start = this.#world.kernel.nowMs;
    const indexBefore = this.#indexes.get(region) ?? 0;
    const { outcome, result } = await act();
    const end = this.#world.kernel.nowMs;
    if (result !== undefined && "mark" in call) this.#checkIndex(region, id, result, indexBefore);
    const operation = { client: client.life.name, key: `${region.name}/${id}`, call, start, end, outcome };
    this.history.push({ ...operation, ...(result !== undefined && { result }) });
    this.#world.tell(
      `${client.life.name} ${JSON.stringify(call)} on ${id}: ${outcome} ${JSON.stringify(result ?? "")}`,
    );
    return result;
  }
}

function settled<T, R>(got: Result<T>, of: (value: T) => R): { readonly outcome: Outcome; readonly result?: R } {
  if (got.kind === "ok") return { outcome: "ok", result: of(got.value) };
  return { outcome: got.kind === "unknown" ? "unknown" : "failed" };
}

const BLANK = {
  ...{ EnforceIndex: false, JobModifyIndex: 0, EvalPriority: 0, PreserveCounts: false, PreserveResources: false },
  Submission: undefined,
};
const NO_DEREGISTER = { EvalPriority: 0, NoShutdownDelay: false, Global: false, Regions: [] };
