import { isTerminalEvaluation } from "@steppe/model";
import {
  BrokerAckRequest,
  BrokerAckResponse,
  BrokerDequeueRequest,
  BrokerDequeueResponse,
  BrokerLeave,
  BrokerTouch,
  type Evaluation,
} from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { SUBJECTS } from "../bus.ts";
import { LARGE, wantedBy } from "../job-size.ts";
import type { AppliedEntry } from "../region-log.ts";
import { failedWithFollowUp } from "./closing.ts";
import type { BrokerNeeds } from "./needs.ts";
import { OpenEvaluations } from "./open-evaluations.ts";
import { type BrokerSettings, FOLLOW_UP_MS, FOLLOW_UP_SPREAD_MS } from "./options.ts";
import type { QueueStats } from "./queue.ts";
import { EvaluationWriter } from "./writer.ts";

export interface BrokerStats extends QueueStats {
  readonly blocked: number;
  readonly delayed: number;
}

/** A worker's request that waits for an evaluation. */
interface Waiter {
  readonly request: BrokerDequeueRequest;
  readonly untilMs: number;
  readonly answer: (response: BrokerDequeueResponse) => void;
}

interface Delivery {
  readonly evaluation: Evaluation;
  readonly token: string;
  readonly waitIndex: number;
}

/** What one request is answered with. */
interface Batch {
  readonly deliveries: Delivery[];
  /** Allocations that their jobs ask for. With as many as a large job's it is full: another worker may be free earlier. */
  wanted: number;
}

/**
 * Hands out evaluations to workers during one term.
 *
 * 1. Built from the state when the term begins, then kept by what is applied: an evaluation that
 *    the log says has ended or is blocked is acknowledged by that alone.
 * 2. What a worker is given names the index it must have applied: the last change of the job's
 *    evaluations and allocations, so that no plan is made without the last one in sight.
 * 3. While operators pause it, it hands out nothing, and goes on with all else.
 * 4. An acknowledgement counts only for what the log says; an evaluation still open is delivered again.
 */
export class Broker {
  readonly #term: number;
  readonly #needs: BrokerNeeds;
  readonly #settings: BrokerSettings;
  readonly #signal: AbortSignal;
  readonly #open: OpenEvaluations;
  readonly #writer: EvaluationWriter;
  readonly #alarm: Alarm = new Alarm();
  /** Rung when the evaluation of that token is no longer out. */
  readonly #acks: Map<string, { readonly id: string; readonly gone: Alarm }> = new Map();
  #waiters: Waiter[] = [];
  #conflictsAtMs: number;
  /** Until when `run` sleeps unless it is rung; on the monotonic clock. */
  #wakesAtMs: number = Number.POSITIVE_INFINITY;

  constructor(term: number, needs: BrokerNeeds, settings: BrokerSettings, signal: AbortSignal) {
    this.#term = term;
    this.#needs = needs;
    this.#settings = settings;
    this.#signal = signal;
    this.#writer = new EvaluationWriter(term, needs, signal);
    this.#conflictsAtMs = needs.clock.monotonicMs() + settings.conflictRetryMs;
    const { indexes } = needs.view;
    this.#open = new OpenEvaluations(settings, Math.max(indexes.changedAt("nodes"), indexes.changedAt("allocations")));
  }

  stats(): BrokerStats {
    return { ...this.#open.queue.stats(), blocked: this.#open.blocked.size, delayed: this.#open.delayed.size };
  }

  /** Serves until the signal aborts. */
  async run(): Promise<void> {
    const { bus, clock, onApplied, view } = this.#needs;
    const unsubscribe = onApplied((applied) => this.#follow(applied));
    const wallNs = clock.wallNs();
    for (const evaluation of view.evaluations.byId.values()) {
      if (!isTerminalEvaluation(evaluation)) this.#open.take(evaluation, wallNs);
    }
    bus.serve(SUBJECTS.dequeue, (payload) => this.#dequeue(payload), this.#signal);
    bus.serve(SUBJECTS.ack, (payload) => this.#acknowledge(payload), this.#signal);
    bus.subscribe(SUBJECTS.touch, (payload) => this.#touch(payload), this.#signal);
    bus.subscribe(SUBJECTS.leave, (payload) => this.#leave(payload), this.#signal);
    while (!this.#signal.aborted) {
      this.#pump();
      const dueInMs = this.#nextDueInMs();
      this.#wakesAtMs = clock.monotonicMs() + dueInMs;
      await this.#alarm.wait(clock, dueInMs, this.#signal);
    }
    unsubscribe();
    for (const { answer } of this.#waiters) answer(BrokerDequeueResponse.create());
  }

  #follow({ index, changes }: AppliedEntry): void {
    const evaluations = changes.evaluations.size + changes.removedEvaluations.size;
    const concerns = evaluations > 0 || changes.freedClasses.size > 0 || changes.schedulerConfiguration;
    if (!concerns) return;
    const wallNs = this.#needs.clock.wallNs();
    for (const evaluation of changes.evaluations.values()) this.#open.take(evaluation, wallNs);
    for (const evaluation of changes.removedEvaluations.values()) {
      this.#open.take({ ...evaluation, Status: "canceled" }, wallNs);
    }
    this.#open.freed(changes.freedClasses, index);
    this.#moveOn();
  }

  /** After something came in. Most of it is due later than what `run` sleeps until anyway, and to set a timer anew is dear. */
  #moveOn(): void {
    this.#pump();
    if (this.#needs.clock.monotonicMs() + this.#nextDueInMs() < this.#wakesAtMs) this.#alarm.ring();
  }

  /** Everything that is due now: take back, hand out, write. */
  #pump(): void {
    const { clock } = this.#needs;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#conflictsAtMs) {
      this.#open.retryConflicted();
      this.#conflictsAtMs = nowMs + this.#settings.conflictRetryMs;
    }
    this.#open.advance(nowMs, clock.wallNs());
    this.#answerWaiters(nowMs);
    for (const [token, { id, gone }] of this.#acks) if (!this.#open.queue.holds(id, token)) gone.ring();
    for (const evaluation of this.#open.queue.takeFailing()) this.#writer.write(this.#failed(evaluation));
    this.#writer.write(this.#open.takeCanceled());
  }

  #nextDueInMs(): number {
    const { clock } = this.#needs;
    const untilWallMs = (this.#open.delayed.nextDueNs() - clock.wallNs()) / 1e6;
    const waiters = this.#waiters.map(({ untilMs }) => untilMs);
    const dueMs = Math.min(this.#open.queue.nextDueMs(), this.#conflictsAtMs, ...waiters);
    return Math.min(dueMs - clock.monotonicMs(), untilWallMs);
  }

  #failed(evaluation: Evaluation): Evaluation[] {
    const { clock, random, view, logger } = this.#needs;
    const { ID: id, Namespace, JobID } = evaluation;
    logger.warn({ evaluation: id, job: JobID }, "evaluation reached its delivery limit");
    const delayMs = FOLLOW_UP_MS + random.fraction() * FOLLOW_UP_SPREAD_MS;
    const followUp = { id: random.id(), notBeforeNs: clock.wallNs() + Math.floor(delayMs) * 1e6 };
    const jobIsGone = view.jobs.get(Namespace, JobID) === undefined;
    return failedWithFollowUp(evaluation, this.#settings.deliveries, jobIsGone ? undefined : followUp);
  }

  #dequeue(payload: Uint8Array): Promise<Uint8Array> {
    const request = BrokerDequeueRequest.decode(payload);
    return new Promise((resolve) => {
      const untilMs = this.#needs.clock.monotonicMs() + Math.min(request.WaitMs, this.#settings.holdMaxMs);
      const answer = (response: BrokerDequeueResponse) => resolve(BrokerDequeueResponse.encode(response).finish());
      if (this.#signal.aborted) return answer(BrokerDequeueResponse.create());
      this.#waiters.push({ request, untilMs, answer });
      this.#moveOn();
    });
  }

  /** First come, first served, in rounds: nobody gets a second one before all have one. One whose time is up gets an empty answer. */
  #answerWaiters(nowMs: number): void {
    const given = this.#deliverInRounds(nowMs);
    this.#waiters = this.#waiters.filter((waiter) => {
      const batch = given.get(waiter);
      if (batch !== undefined) waiter.answer(responseOf(batch, this.#term));
      else if (nowMs >= waiter.untilMs) waiter.answer(BrokerDequeueResponse.create());
      else return true;
      return false;
    });
  }

  #deliverInRounds(nowMs: number): Map<Waiter, Batch> {
    const given = new Map<Waiter, Batch>();
    for (let takers = this.#waiters; takers.length > 0; ) {
      takers = takers.filter((waiter) => {
        const delivery = this.#deliver(waiter.request, nowMs);
        if (delivery === undefined) return false;
        const { Namespace, JobID } = delivery.evaluation;
        const batch: Batch = given.get(waiter) ?? { deliveries: [], wanted: 0 };
        batch.deliveries.push(delivery);
        batch.wanted += wantedBy(this.#needs.view.jobs.get(Namespace, JobID));
        given.set(waiter, batch);
        return batch.deliveries.length < waiter.request.Max && batch.wanted < LARGE;
      });
    }
    return given;
  }

  #deliver(request: BrokerDequeueRequest, nowMs: number): Delivery | undefined {
    const { random, view } = this.#needs;
    if (view.schedulerConfiguration.PauseEvalBroker || !this.#open.queue.hasReady(request.Types)) return undefined;
    const token = random.id();
    const taken = this.#open.queue.dequeue(request.Types, request.WorkerID, token, nowMs, request.Confirms);
    if (taken === undefined) return undefined;
    const { Namespace, JobID } = taken;
    const waitIndex = Math.max(
      taken.ModifyIndex,
      view.evaluations.ofJob(Namespace, JobID)?.index ?? 0,
      view.jobs.get(Namespace, JobID)?.allocationsIndex ?? 0,
    );
    return { evaluation: view.evaluations.get(taken.ID) ?? taken, token, waitIndex };
  }

  async #acknowledge(payload: Uint8Array): Promise<Uint8Array> {
    const { EvalID, Token, Done } = BrokerAckRequest.decode(payload);
    const Accepted = Done ? await this.#ended(EvalID, Token) : this.#nack(EvalID, Token);
    return BrokerAckResponse.encode({ Accepted }).finish();
  }

  #nack(id: string, token: string): boolean {
    const accepted = this.#open.queue.nack(id, token, this.#needs.clock.monotonicMs());
    this.#moveOn();
    return accepted;
  }

  /** The worker's replica may be ahead of this one, so the end of the evaluation is given time to arrive. */
  async #ended(id: string, token: string): Promise<boolean> {
    if (this.#open.queue.holds(id, token)) {
      const gone = new Alarm();
      this.#acks.set(token, { id, gone });
      await gone.wait(this.#needs.clock, this.#settings.ackLagMs, this.#signal);
      this.#acks.delete(token);
    }
    if (this.#open.queue.holds(id, token)) {
      this.#nack(id, token);
      return false;
    }
    const evaluation = this.#needs.view.evaluations.get(id);
    return evaluation === undefined || evaluation.Status !== "pending";
  }

  #touch(payload: Uint8Array): void {
    this.#open.queue.touch(BrokerTouch.decode(payload).WorkerID, this.#needs.clock.monotonicMs());
  }

  /** What a worker that is gone would be given is lost until it is missed. */
  #leave(payload: Uint8Array): void {
    const leaving = new Set(BrokerLeave.decode(payload).WorkerIDs);
    const gone = this.#waiters.filter(({ request }) => leaving.has(request.WorkerID));
    this.#waiters = this.#waiters.filter((waiter) => !gone.includes(waiter));
    for (const { answer } of gone) answer(BrokerDequeueResponse.create());
  }
}

function responseOf({ deliveries: [first, ...others] }: Batch, Term: number): BrokerDequeueResponse {
  return BrokerDequeueResponse.create({
    ...(first && { Evaluation: first.evaluation, Token: first.token, WaitIndex: first.waitIndex }),
    Term,
    More: others.map(({ evaluation: { ID: EvalID, Namespace, JobID }, token: Token, waitIndex: WaitIndex }) => {
      return { EvalID, Namespace, JobID, Token, WaitIndex };
    }),
  });
}
