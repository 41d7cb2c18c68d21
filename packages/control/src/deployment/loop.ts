import type { Command, DeploymentAdvance, Evaluation } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import type { AppliedEntry } from "../region-log.ts";
import { type Decision, decideDeployment, dueAtNs, seenIndexOf, takeCensus } from "./decide.ts";
import type { DeploymentNeeds } from "./needs.ts";

/**
 * Watches the active deployments during one term.
 *
 * 1. What is to be done follows from the state alone, so nothing is lost with a leader.
 * 2. A deployment is looked at when it or one of its allocations changed, and at its deadline;
 *    changes of a quarter of a second, or longer where looking takes long, are looked at together, and make one
 *    evaluation a job.
 * 3. A write that failed is made again after a while, if it is still called for.
 */
export class DeploymentWatcher {
  readonly #term: number;
  readonly #needs: DeploymentNeeds;
  readonly #signal: AbortSignal;
  readonly #alarm: Alarm = new Alarm();
  readonly #changed: Set<string> = new Set();
  /** How long the last look took, writes aside. */
  #lookedMs = 0;
  /** Unix nanoseconds by deployment, of those that have a deadline. */
  readonly #due: Map<string, number> = new Map();

  constructor(term: number, needs: DeploymentNeeds, signal: AbortSignal) {
    this.#term = term;
    this.#needs = needs;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { view, clock, onApplied } = this.#needs;
    const unsubscribe = onApplied((applied) => this.#follow(applied));
    for (const [id, { active }] of view.deployments.byId) if (active) this.#changed.add(id);
    while (!this.#signal.aborted) {
      if (this.#changed.size > 0) {
        await new Alarm().wait(clock, Math.max(GATHER_MS, this.#lookedMs * REST), this.#signal);
        await this.#look(this.#takeChanged());
      } else {
        let nextNs = Number.POSITIVE_INFINITY;
        for (const atNs of this.#due.values()) nextNs = Math.min(nextNs, atNs);
        await this.#alarm.wait(clock, (nextNs - clock.wallNs()) / 1e6, this.#signal);
      }
      const nowNs = clock.wallNs();
      for (const [id, atNs] of this.#due) if (atNs <= nowNs) this.#changed.add(id);
    }
    unsubscribe();
  }

  #follow({ changes }: AppliedEntry): void {
    for (const id of changes.deployments.keys()) this.#changed.add(id);
    for (const { DeploymentID } of changes.allocations) if (DeploymentID !== "") this.#changed.add(DeploymentID);
    if (this.#changed.size > 0) this.#alarm.ring();
  }

  #takeChanged(): string[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  async #look(ids: readonly string[]): Promise<void> {
    const writes: Promise<void>[] = [];
    const advances: DeploymentAdvance[] = [];
    const beganMs = this.#needs.clock.monotonicMs();
    for (const id of this.#signal.aborted ? [] : ids) {
      const decision = this.#decide(id);
      if (decision.kind === "advance") advances.push({ DeploymentID: id, ReplaceAllocIDs: [...decision.replace] });
      else if (decision.kind !== "wait") writes.push(this.#write([id], this.#commandOf(id, decision)));
    }
    this.#lookedMs = this.#needs.clock.monotonicMs() - beganMs;
    for (let at = 0; at < advances.length; at += ADVANCES_MAX) {
      const Advances = advances.slice(at, at + ADVANCES_MAX);
      const command = { $case: "AdvanceDeployments", value: { Term: this.#term, Advances } } as const;
      writes.push(
        this.#write(
          Advances.map(({ DeploymentID }) => DeploymentID),
          command,
        ),
      );
    }
    await Promise.all(writes);
  }

  #decide(id: string): Decision {
    const { view, clock } = this.#needs;
    const entry = view.deployments.get(id);
    this.#due.delete(id);
    if (entry === undefined || !entry.active) return { kind: "wait" };
    const { Namespace, JobID } = entry.deployment;
    const ofJob = view.jobs.get(Namespace, JobID);
    if (ofJob === undefined) return { kind: "wait" };
    const seenIndex = seenIndexOf(this.#evaluationsOf(Namespace, JobID));
    const census = takeCensus(entry);
    const decision = decideDeployment(entry, ofJob.job, ofJob.liveAllocations, seenIndex, clock.wallNs(), census);
    const dueNs = dueAtNs(entry, census);
    if (decision.kind === "wait" && Number.isFinite(dueNs)) this.#due.set(id, dueNs);
    return decision;
  }

  *#evaluationsOf(namespace: string, jobId: string): Generator<Evaluation> {
    const { evaluations } = this.#needs.view;
    for (const id of evaluations.ofJob(namespace, jobId)?.ids ?? []) {
      const evaluation = evaluations.get(id);
      if (evaluation !== undefined) yield evaluation;
    }
  }

  #commandOf(DeploymentID: string, decision: Decision & { kind: "fail" | "promote" }): NonNullable<Command["Kind"]> {
    const Term = this.#term;
    if (decision.kind === "promote") {
      return { $case: "PromoteDeployment", value: { Term, DeploymentID, All: true, Groups: [] } };
    }
    const { description: StatusDescription, rollback: Rollback } = decision;
    return { $case: "FailDeployment", value: { Term, DeploymentID, StatusDescription, Rollback } };
  }

  /** Never rejects. What was refused is looked at again with the change that made it so. */
  async #write(ids: readonly string[], command: NonNullable<Command["Kind"]>): Promise<void> {
    const { clock, logger, propose } = this.#needs;
    try {
      const { Refusal } = await propose(command, { signal: this.#signal });
      // Looked at again, for its next deadline.
      for (const id of ids) this.#changed.add(id);
      if (Refusal === undefined) return;
      logger.debug({ deployment: ids[0], step: command.$case, reason: Refusal.Message }, "deployment not written");
    } catch (error) {
      if (this.#signal.aborted) return;
      logger.warn({ err: error, deployment: ids[0] }, "deployment not written; trying again");
    }
    await new Alarm().wait(clock, RETRY_MS, this.#signal);
    for (const id of ids) this.#changed.add(id);
  }
}

/** As the peer does; bounds the evaluations of a job that rolls out to four a second. */
const GATHER_MS = 250;
/** Looking at deployments of thousands of allocations takes at most a twentieth of the time. */
const REST = 20;
const RETRY_MS = 1_000;
/** Deployments in one command. */
const ADVANCES_MAX = 500;
