import {
  BrokerAckRequest,
  BrokerDequeueRequest,
  BrokerDequeueResponse,
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
 * Each delivery is asked for under a name of its own and that name is touched while the delivery
 * is in hand. So a delivery that was lost on the way falls silent, like one whose worker died, and
 * is made again within seconds.
 */
export class Worker {
  readonly #needs: WorkerNeeds;
  readonly #settings: WorkerSettings;
  readonly #stopping: AbortController = new AbortController();
  readonly #idle: AbortController = new AbortController();
  readonly #inHand: Set<string> = new Set();
  readonly #turns: Turns = new Turns();
  /** Aborts when another term begins: whoever is being asked now no longer has anything to give. */
  #termOver: AbortController = new AbortController();
  /** Of stopping and of this term's end. One a term: a composite signal costs more than what is asked under it. */
  #asking: AbortSignal = AbortSignal.any([this.#stopping.signal, this.#termOver.signal]);
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
    this.#stopping.abort();
    await this.#running;
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
    this.#asking = AbortSignal.any([this.#stopping.signal, this.#termOver.signal]);
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const name = `${this.#settings.name}/${this.#asked++}`;
      const termOver = this.#termOver.signal;
      const asking = this.#asking;
      try {
        // While this replica is behind, another worker is better asked than this one.
        await this.#needs.waitFor(this.#toldIndex, asking);
        const delivery = await this.#dequeue(name, asking);
        failures = 0;
        if (delivery !== undefined) await this.#process(name, delivery);
      } catch (error) {
        if (!asking.aborted) {
          this.#needs.logger.debug({ err: error }, "no broker answers");
          await this.#backOff(failures++, asking);
        }
        if (termOver.aborted) failures = 0;
      }
    }
  }

  async #dequeue(name: string, signal: AbortSignal): Promise<Delivery | undefined> {
    const { types, waitMs } = this.#settings;
    const request = BrokerDequeueRequest.encode({ WorkerID: name, Types: [...types], WaitMs: waitMs }).finish();
    const answer = await this.#needs.bus.request(SUBJECTS.dequeue, request, waitMs + ANSWER_MS, signal);
    const response = BrokerDequeueResponse.decode(answer);
    return response.Evaluation === undefined ? undefined : { ...response, Evaluation: response.Evaluation };
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
    this.#toldIndex = Math.max(this.#toldIndex, delivery.WaitIndex);
    let done = true;
    try {
      await processEvaluation(this.#needs, this.#settings, delivery, this.#turns);
      this.#processed += 1;
    } catch (error) {
      done = false;
      this.#failed += 1;
      logger.warn({ err: error, evaluation, job }, "evaluation not processed");
    }
    await this.#acknowledge(evaluation, delivery.Token, done);
    this.#inHand.delete(name);
  }

  /** Lost acknowledgements are harmless: the broker reads the log, and takes back what falls silent. */
  async #acknowledge(EvalID: string, Token: string, Done: boolean): Promise<void> {
    const { bus, logger } = this.#needs;
    const request = BrokerAckRequest.encode({ EvalID, Token, Done }).finish();
    const answered = bus.request(SUBJECTS.ack, request, ACK_MS).catch((error) => {
      logger.debug({ err: error, evaluation: EvalID }, "acknowledgement not answered");
    });
    // The end of an evaluation is in the log; only giving it back has to arrive before this worker may be forgotten.
    if (!Done) await answered;
  }

  async #touch(): Promise<void> {
    const { bus, clock } = this.#needs;
    const rounds = new Alarm();
    while (!this.#idle.signal.aborted) {
      for (const WorkerID of this.#inHand) bus.publish(SUBJECTS.touch, BrokerTouch.encode({ WorkerID }).finish());
      await rounds.wait(clock, this.#settings.touchEveryMs, this.#idle.signal);
    }
  }
}

const BACK_OFF_MIN_MS = 20;
const BACK_OFF_MAX_MS = 500;
/** On top of the time the broker may hold a request. */
const ANSWER_MS = 2_000;
const ACK_MS = 7_000;
