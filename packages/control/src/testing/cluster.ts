import { mockJob, mockNode } from "@steppe/model/internal";
import type { Command, Evaluation, Job, Outcome, Plan } from "@steppe/proto";
import { LeaderDuties, type LeaderNeeds, type LeaderOptions } from "../leader.ts";
import { Leadership } from "../lease.ts";
import { Worker } from "../worker/worker.ts";
import { firstFit } from "./first-fit.ts";
import { type Member, TestRegion } from "./region.ts";

/** A server: it may lead. */
export interface TestServer {
  readonly member: Member;
  readonly leadership: Leadership;
  readonly duties: LeaderDuties;
}

export interface TestWorker {
  readonly member: Member;
  readonly worker: Worker;
}

/** A region with servers and workers on it, and the few things tests ask of one. */
export class TestCluster {
  readonly region: TestRegion = new TestRegion();
  /** A member that is asked and told things, and does nothing by itself. */
  readonly client: Member = this.region.member("client");

  /** Runs the duties and leads in turn with the others. Nodes need no heartbeat, unless told otherwise. */
  server(
    name: string,
    options: LeaderOptions = { heartbeat: { ttlMinMs: 1e9, failoverMs: 1e9 } },
    links: Pick<LeaderNeeds, "route" | "region"> = {},
  ): TestServer {
    const member = this.region.member(name);
    const duties = new LeaderDuties({ ...member, view: member.view, ...links }, options);
    const lease = { holder: name, address: `${name}:4647`, httpAddress: `${name}:4646` };
    const leadership = new Leadership(lease, member, duties.run);
    leadership.start();
    return { member, leadership, duties };
  }

  /** `schedule` is first fit from node `from` on, unless given. */
  worker(name: string, options: { from?: number; pipeline?: number; schedule?: Schedule } = {}): TestWorker {
    const member = this.region.member(name);
    const { from = 0, pipeline = 4, schedule } = options;
    const place = (evaluation: Evaluation) => firstFit(member.view, evaluation, member.random, from);
    const worker = new Worker(
      { name, pipeline },
      {
        ...member,
        view: member.view,
        schedule: (evaluation) => schedule?.(evaluation, () => place(evaluation), member) ?? place(evaluation),
        splitPlan: (plan) => [plan],
      },
    );
    worker.start();
    return { member, worker };
  }

  async write(kind: NonNullable<Command["Kind"]>): Promise<Outcome> {
    return await this.client.propose(kind);
  }

  /** `count` nodes with room for seven allocations of `job` each. */
  async nodes(count: number, from = 0): Promise<void> {
    for (let n = from; n < from + count; n++) {
      await this.write({ $case: "RegisterNode", value: { Node: mockNode({}, n) } });
    }
  }

  /** Registers a service job of so many allocations; resolves with the id of its evaluation. */
  async job(id: string, count: number, fields: Partial<Job> = {}): Promise<string> {
    const job = mockJob({ ID: id, Name: id });
    for (const group of job.TaskGroups) group.Count = count;
    return await this.register({ ...job, ...fields });
  }

  async register(Job: Job): Promise<string> {
    const command = { Job, EnforceIndex: false, JobModifyIndex: 0, EvalPriority: 0 };
    const kept = { PreserveCounts: false, PreserveResources: false, Submission: undefined, CheckPlace: false };
    return (await this.write({ $case: "RegisterJob", value: { ...command, ...kept } })).EvalID;
  }

  evaluation(id: string): Evaluation {
    const found = this.client.view.evaluations.get(id);
    if (found === undefined) throw new Error(`no evaluation ${id}`);
    return found;
  }

  evaluationsOf(jobId: string): Evaluation[] {
    const ids = this.client.view.evaluations.ofJob("default", jobId)?.ids ?? [];
    return [...ids].map((id) => this.evaluation(id));
  }

  live(jobId: string): number {
    return this.client.view.jobs.get("default", jobId)?.liveAllocations ?? 0;
  }
}

/** What a worker's scheduler does: `place` is the ordinary thing. */
export type Schedule = (evaluation: Evaluation, place: () => Plan, member: Member) => Plan | undefined;
