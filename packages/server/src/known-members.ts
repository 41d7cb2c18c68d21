import type { Call, Clock, Logger } from "@steppe/model";
import { type Member, StatusRequest } from "@steppe/proto";
import { ALIVE, type RegionServices } from "@steppe/regions";

/** What was learnt longer ago is asked for again, beside the request that needs it. */
const AGE_MAX_MS = 10_000;

/** The members that an agent which is no server has been told of by one. */
export class KnownMembers {
  readonly #servers: RegionServices;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #members: readonly Member[] = [];
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(servers: RegionServices, clock: Clock, logger: Logger) {
    this.#servers = servers;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** As last told; asks again when that is long ago. */
  all(): readonly Member[] {
    if (this.#clock.monotonicMs() - this.#atMs > AGE_MAX_MS) {
      const call = { signal: new AbortController().signal, timeoutMs: AGE_MAX_MS };
      this.learn(call).catch((err: unknown) => this.#logger.debug({ err }, "no server tells its members now"));
    }
    return this.#members;
  }

  regions(): string[] {
    return [...new Set(this.all().flatMap((it) => (it.Status === ALIVE ? [it.Region] : [])))];
  }

  async learn(call: Call): Promise<void> {
    this.#atMs = this.#clock.monotonicMs();
    this.#members = (await this.#servers.serverCalls.members(StatusRequest.create(), call)).Members;
  }
}
