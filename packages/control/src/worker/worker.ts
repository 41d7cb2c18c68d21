import {
  BrokerAckRequest,
  type BrokerDelivery,
  BrokerDequeueRequest,
  BrokerDequeueResponse,
  BrokerLeave,
  BrokerTouch,
} from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { SUBJECTS } from "../bus.ts";
import { BatchSize } from "./batch-size.ts";
import { type WorkerNeeds, type WorkerOptions, type WorkerSettings, workerSettings } from "./needs.ts";
import { processEvaluation, type Shared } from "./process.ts";
import { Slices } from "./slices.ts";
import { Turns } from "./turns.ts";

export interface WorkerStats {
  /** Evaluations being processed. */
  readonly inHand: number;
  readonly processed: number;
  /** Given back to be delivered again. */
  readonly failed: number;
}

/**
 * Processes evaluations, in batches, `pipeline` of them at a time: scheduling is synchronous, so some are being
 * scheduled while the plans of others travel. The broker sees to it that they are of different jobs.
 *
 * Each batch is asked for under a name of its own. That name is touched when the batch comes, and
 * while any of it is in hand. So the broker can tell one that was lost on the way, and one whose worker died, and
 * makes it again within seconds. A worker that stops says so, and takes what is on its way to it.
 */
export class Worker {
  readonly #needs: WorkerNeeds;
  readonly #settings: WorkerSettings;
  readonly #stopping: AbortController = new AbortController();
  readonly #idle: AbortController = new AbortController();
  /** Aborts when this worker stops and the broker had time to answer what it was asked. */
  readonly #left: AbortController = new AbortController();
  /** Under these names the broker is being asked. */
  readonly #waiting: Set<string> = new Set();
  /** Names under which something is in hand. */
  readonly #inHand: Set<string> = new Set();
  readonly #shared: Shared;
  readonly #batch: BatchSize;
  /** Aborts when another term begins: whoever is being asked now no longer has anything to give. */
  #termOver: AbortController = new AbortController();
  /** Of having left and of this term's end. One a term: a composite signal costs more than what is asked under it. */
  #asking: AbortSignal = AbortSignal.any([this.#left.signal, this.#termOver.signal]);
  /** Of stopping and of this term's end. */
  #resting: AbortSignal = AbortSignal.any([this.#stopping.signal, this.#termOver.signal]);
  #term = 0;
  #asked = 0;
  #evaluationsInHand = 0;
  /** The highest index that a delivery had to wait for. */
  #toldIndex = 0;
  #processed = 0;
  #failed = 0;
  #running: Promise<unknown> | undefined;

  constructor(options: WorkerOptions, needs: WorkerNeeds) {
    this.#settings = workerSettings(options);
    this.#needs = needs;
    this.#shared = { turns: new Turns(), slices: new Slices(needs.clock, needs.givesWay) };
    this.#batch = new BatchSize(this.#settings.batch);
  }

  stats(): WorkerStats {
    return { inHand: this.#evaluationsInHand, processed: this.#processed, failed: this.#failed };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes what is in hand, then resolves. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#leave();
    await this.#running;
  }

  #leave(): void {
    const { bus, clock } = this.#needs;
    this.#stopping.abort();
    const WorkerIDs = [...this.#waiting];
    if (WorkerIDs.length > 0) bus.publish(SUBJECTS.leave, BrokerLeave.encode({ WorkerIDs }).finish());
    void new Alarm().wait(clock, LEAVE_MS, this.#idle.signal).then(() => this.#left.abort());
  }

  async #run(): Promise<void> {
    const { view, onApplied } = this.#needs;
    this.#term = view.lease?.Term ?? 0;
    const unsubscribe = onApplied(({ changes }) => {
      if (changes.lease) this.#seeTerm(view.lease?.Term ?? 0);
    });
    const touching = this.#touch();
    await Promise.all(Array.from({ length: this.#settings.pipeline }, () => this.#work()));
    this.#idle.abort();
    await touching;
    unsubscribe();
  }

  #seeTerm(term: number): void {
    if (term === this.#term) return;
    this.#term = term;
    this.#termOver.abort();
    this.#termOver = new AbortController();
    this.#asking = AbortSignal.any([this.#left.signal, this.#termOver.signal]);
    this.#resting = AbortSignal.any([this.#stopping.signal, this.#termOver.signal]);
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const name = `${this.#settings.name}/${this.#asked++}`;
      const termOver = this.#termOver.signal;
      const resting = this.#resting;
      try {
        // While this replica is behind, another worker is better asked than this one.
        await this.#needs.waitFor(this.#toldIndex, resting);
        const deliveries = await this.#dequeue(name, this.#asking);
        failures = 0;
        if (deliveries.length > 0) await this.#process(name, deliveries);
      } catch (error) {
        if (!resting.aborted) {
          this.#needs.logger.debug({ err: error }, "no broker answers");
          await this.#backOff(failures++, resting);
        }
        if (termOver.aborted) failures = 0;
      }
    }
  }

  async #dequeue(name: string, signal: AbortSignal): Promise<readonly BrokerDelivery[]> {
    const { types, waitMs } = this.#settings;
    const asked = { WorkerID: name, Types: [...types], WaitMs: waitMs, Confirms: true, Max: this.#batch.size };
    const request = BrokerDequeueRequest.encode(asked).finish();
    this.#waiting.add(name);
    try {
      const answer = await this.#needs.bus.request(SUBJECTS.dequeue, request, waitMs + ANSWER_MS, signal);
      const { Evaluation, Token, WaitIndex, More } = BrokerDequeueResponse.decode(answer);
      if (Evaluation === undefined) return [];
      const { ID: EvalID, Namespace, JobID } = Evaluation;
      return [{ EvalID, Namespace, JobID, Token, WaitIndex }, ...More];
    } finally {
      this.#waiting.delete(name);
    }
  }

  /** From 20 ms to half a second, spread so that workers do not ask in step. */
  #backOff(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#needs;
    const ms = Math.min(BACK_OFF_MIN_MS * 2 ** failures, BACK_OFF_MAX_MS);
    return new Alarm().wait(clock, ms * (0.5 + 0.5 * random.fraction()), signal);
  }

  async #process(name: string, deliveries: readonly BrokerDelivery[]): Promise<void> {
    this.#inHand.add(name);
    this.#evaluationsInHand += deliveries.length;
    // Written out in this turn, before anything is decided that may take long.
    this.#tell(name);
    for (const { WaitIndex } of deliveries) this.#toldIndex = Math.max(this.#toldIndex, WaitIndex);
    const lost = await Promise.all(deliveries.map((delivery) => this.#see(delivery)));
    this.#batch.ended(lost.includes(true));
    this.#inHand.delete(name);
  }

  /** Resolves with whether it lost a race. */
  async #see(delivery: BrokerDelivery): Promise<boolean> {
    const { EvalID: evaluation, JobID: job, Token } = delivery;
    try {
      const lost = await processEvaluation(this.#needs, this.#settings, delivery, this.#shared);
      this.#processed += 1;
      return lost;
    } catch (error) {
      this.#failed += 1;
      this.#needs.logger.warn({ err: error, evaluation, job }, "evaluation not processed");
      await this.#giveBack(evaluation, Token);
      return false;
    } finally {
      this.#evaluationsInHand -= 1;
    }
  }

  /**
   * To be delivered again. What has ended is not told of: the broker reads the log. Has to arrive before this
   * worker may be forgotten; if it does not, the broker takes back what falls silent.
   */
  async #giveBack(EvalID: string, Token: string): Promise<void> {
    const { bus, logger } = this.#needs;
    const request = BrokerAckRequest.encode({ EvalID, Token, Done: false }).finish();
    await bus.request(SUBJECTS.ack, request, ACK_MS).catch((error) => {
      logger.debug({ err: error, evaluation: EvalID }, "giving back not answered");
    });
  }

  async #touch(): Promise<void> {
    const rounds = new Alarm();
    while (!this.#idle.signal.aborted) {
      for (const name of this.#inHand) this.#tell(name);
      await rounds.wait(this.#needs.clock, this.#settings.touchEveryMs, this.#idle.signal);
    }
  }

  #tell(WorkerID: string): void {
    this.#needs.bus.publish(SUBJECTS.touch, BrokerTouch.encode({ WorkerID }).finish());
  }
}

const BACK_OFF_MIN_MS = 20;
const BACK_OFF_MAX_MS = 500;
/** On top of the time the broker may hold a request. */
const ANSWER_MS = 1_000;
/** How long a worker that stops waits for answers to what it has asked; a broker that lives gives them at once. */
const LEAVE_MS = 500;
const ACK_MS = 7_000;
