import {
  BrokerAckRequest,
  BrokerDequeueRequest,
  BrokerDequeueResponse,
  BrokerLeave,
  BrokerTouch,
  type Evaluation,
} from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { SUBJECTS } from "../bus.ts";
import { type WorkerNeeds, type WorkerOptions, type WorkerSettings, workerSettings } from "./needs.ts";
import { processEvaluation } from "./process.ts";
import { Turns } from "./turns.ts";

type Delivery = BrokerDequeueResponse & { readonly Evaluation: Evaluation };

export interface WorkerStats {
  /** Evaluations being processed. */
  readonly inHand: number;
  readonly processed: number;
  /** Given back to be delivered again. */
  readonly failed: number;
}

/**
 * Processes evaluations, `pipeline` of them at a time: scheduling is synchronous, so one is being
 * scheduled while the plans of others travel. The broker sees to it that they are of different jobs.
 *
 * Each delivery is asked for under a name of its own. That name is touched when the delivery comes, and
 * while it is in hand. So the broker can tell one that was lost on the way, and one whose worker died, and
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
  readonly #inHand: Set<string> = new Set();
  readonly #turns: Turns = new Turns();
  /** Aborts when another term begins: whoever is being asked now no longer has anything to give. */
  #termOver: AbortController = new AbortController();
  /** Of having left and of this term's end. One a term: a composite signal costs more than what is asked under it. */
  #asking: AbortSignal = AbortSignal.any([this.#left.signal, this.#termOver.signal]);
  /** Of stopping and of this term's end. */
  #resting: AbortSignal = AbortSignal.any([this.#stopping.signal, this.#termOver.signal]);
  #term = 0;
  #asked = 0;
  /** The highest index that a delivery had to wait for. */
  #toldIndex = 0;
  #processed = 0;
  #failed = 0;
  #running: Promise<unknown> | undefined;

  constructor(options: WorkerOptions, needs: WorkerNeeds) {
    this.#settings = workerSettings(options);
    this.#needs = needs;
  }

  stats(): WorkerStats {
    return { inHand: this.#inHand.size, processed: this.#processed, failed: this.#failed };
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
        const delivery = await this.#dequeue(name, this.#asking);
        failures = 0;
        if (delivery !== undefined) await this.#process(name, delivery);
      } catch (error) {
        if (!resting.aborted) {
          this.#needs.logger.debug({ err: error }, "no broker answers");
          await this.#backOff(failures++, resting);
        }
        if (termOver.aborted) failures = 0;
      }
    }
  }

  async #dequeue(name: string, signal: AbortSignal): Promise<Delivery | undefined> {
    const { types, waitMs } = this.#settings;
    const asked = { WorkerID: name, Types: [...types], WaitMs: waitMs, Confirms: true };
    const request = BrokerDequeueRequest.encode(asked).finish();
    this.#waiting.add(name);
    try {
      const answer = await this.#needs.bus.request(SUBJECTS.dequeue, request, waitMs + ANSWER_MS, signal);
      const response = BrokerDequeueResponse.decode(answer);
      return response.Evaluation === undefined ? undefined : { ...response, Evaluation: response.Evaluation };
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

  async #process(name: string, delivery: Delivery): Promise<void> {
    const { logger } = this.#needs;
    const { ID: evaluation, JobID: job } = delivery.Evaluation;
    this.#inHand.add(name);
    // Written out in this turn, before anything is decided that may take long.
    this.#tell(name);
    this.#toldIndex = Math.max(this.#toldIndex, delivery.WaitIndex);
    try {
      await processEvaluation(this.#needs, this.#settings, delivery, this.#turns);
      this.#processed += 1;
    } catch (error) {
      this.#failed += 1;
      logger.warn({ err: error, evaluation, job }, "evaluation not processed");
      await this.#giveBack(evaluation, delivery.Token);
    }
    this.#inHand.delete(name);
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
