// Tells servers of other regions what is known here and learns what they know.
//
// Owns: the rounds, and which of a region's servers is asked next. The directory judges what is
// learned. Each round asks, per other region, the next live server in turn, and the next missing
// one, so that its return is noticed even if nobody else tells; and those `join` addresses behind
// which no live member is known yet. No target is asked while an earlier question to it is open.
import { type Clock, type Logger, type Random, SteppeError } from "@steppe/model";
import { type Member, MembershipDefinition } from "@steppe/proto";
import { withPort } from "./address.ts";
import { type CertificateName, hasRole } from "./certificate-names.ts";
import type { Channels } from "./channels.ts";
import { ALIVE, type Directory, LEFT, type RegionServer } from "./directory.ts";
import { grpcMethods } from "./grpc-definition.ts";
import type { MembershipService } from "./region-services.ts";
import { TransportFailure } from "./transport-failure.ts";

const GRPC_PORT = 4647;
const ASK_TIMEOUT_MS = 2_500;
const LEAVE_TIMEOUT_MS = 1_000;

const { exchange: EXCHANGE } = grpcMethods(MembershipDefinition);

export interface Exchange {
  /** Answers other servers. The answer's first member is the answering server. */
  readonly service: Pick<MembershipService, "exchange">;
  /** Rounds until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** One round; resolves when all asked have answered or failed. */
  round(): Promise<void>;
  /** Asks these servers now, and from then on as if they had been configured. `error`: who did not answer. */
  join(addresses: readonly string[]): Promise<{ readonly joined: number; readonly error: string }>;
  /** Marks this server as left and tells a server of each region; takes at most a second. */
  leave(): Promise<void>;
}

export interface ExchangeOptions {
  readonly directory: Directory;
  readonly channels: Channels;
  /** `host:port` or `host` (port 4647) of servers anywhere; the own may be among them. */
  readonly join: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default 1 s. */
  readonly intervalMs?: number;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const rounds = new Rounds(options);
  const { directory, clock, random, intervalMs = 1_000 } = options;
  return {
    service: {
      exchange: async ({ Members }, { names }) => {
        directory.merge(credible(Members, names, directory.self()), clock.monotonicMs());
        return { Members: directory.members(clock.monotonicMs()) };
      },
    },
    round: () => rounds.round(ASK_TIMEOUT_MS),
    join: (addresses) => rounds.join(addresses, ASK_TIMEOUT_MS),
    async run(signal) {
      while (!signal.aborted) {
        // Not awaited: one server that hangs does not hold up the heartbeat.
        void rounds.round(ASK_TIMEOUT_MS);
        // Uneven, so that servers started together do not stay in step.
        await clock.after(intervalMs * (0.9 + 0.2 * random.fraction()), signal).catch((error: unknown) => {
          if (!signal.aborted) throw error;
        });
      }
    },
    async leave() {
      directory.leave();
      await rounds.farewell(LEAVE_TIMEOUT_MS);
    },
  };
}

/** Whom to ask; a join address may be that of any region's server. */
interface Target {
  readonly address: string;
  readonly region?: string;
  readonly server?: RegionServer;
}

class Rounds {
  #options: ExchangeOptions;
  #join: string[];
  /** The member that answered at a join address. */
  #joined = new Map<string, string>();
  #turn = 0;
  #asking = new Set<string>();
  /** What was last logged of an address. */
  #answers = new Map<string, boolean>();

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#join = options.join.map((address) => withPort(address, GRPC_PORT));
  }

  async round(timeoutMs: number): Promise<void> {
    this.#options.directory.beat();
    this.#turn += 1;
    const targets = new Map<string, Target>();
    for (const region of this.#otherRegions()) {
      for (const server of this.#nextOf(region))
        targets.set(server.address, { address: server.address, region, server });
    }
    for (const address of this.#unresolved()) if (!targets.has(address)) targets.set(address, { address });
    await Promise.all([...targets.values()].map((target) => this.#ask(target, timeoutMs)));
  }

  async join(addresses: readonly string[], timeoutMs: number): Promise<{ joined: number; error: string }> {
    const wanted = addresses.map((address) => withPort(address, GRPC_PORT));
    this.#join = [...new Set([...this.#join, ...wanted])];
    await Promise.all(wanted.map((address) => this.#exchange({ address }, timeoutMs)));
    const silent = wanted.filter((address) => this.#answers.get(address) !== true);
    const error = silent.map((address) => `Failed to join ${address}: no answer to the member exchange`).join("\n");
    return { joined: wanted.length - silent.length, error };
  }

  /** Asks one live server of each region, even if a question to it is open: this is the last word. */
  async farewell(timeoutMs: number): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const targets = this.#otherRegions().flatMap((region) =>
      this.#options.directory
        .servers(region, nowMs)
        .filter((server) => server.alive)
        .slice(0, 1)
        .map((server) => ({ address: server.address, region, server })),
    );
    await Promise.all(targets.map((target) => this.#exchange(target, timeoutMs)));
  }

  #otherRegions(): string[] {
    const { directory, clock } = this.#options;
    const own = directory.self().Region;
    const known = directory.members(clock.monotonicMs()).filter((it) => it.Status !== LEFT);
    return [...new Set(known.map((member) => member.Region))].filter((region) => region !== own);
  }

  #nextOf(region: string): RegionServer[] {
    const { directory, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const live = directory.servers(region, nowMs).filter((server) => server.alive);
    const missing = directory.missing(region, nowMs);
    const next = (servers: RegionServer[]) => servers[this.#turn % servers.length];
    return [next(live), next(missing)].filter((server) => server !== undefined);
  }

  #unresolved(): string[] {
    const { directory, clock } = this.#options;
    const members = directory.members(clock.monotonicMs());
    const live = new Set(members.filter((it) => it.Status === ALIVE).map((it) => it.Name));
    return this.#join.filter((address) => !live.has(this.#joined.get(address) ?? ""));
  }

  async #ask(target: Target, timeoutMs: number): Promise<void> {
    const { address } = target;
    if (this.#asking.has(address)) return;
    this.#asking.add(address);
    try {
      await this.#exchange(target, timeoutMs);
    } finally {
      this.#asking.delete(address);
    }
  }

  async #exchange({ address, region, server }: Target, timeoutMs: number): Promise<void> {
    const { directory, channels, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const request = { Members: directory.members(nowMs) };
    try {
      const channel = channels.to(address, region);
      const { Members } = await channel.unary(EXCHANGE, request, { signal: NEVER, timeoutMs });
      this.#learn(address, server, credible(Members, channel.names, directory.self()));
    } catch (error) {
      this.#note(address, error);
      if (server !== undefined && error instanceof TransportFailure && error.silent) directory.suspect(server.name);
    }
  }

  #learn(address: string, server: RegionServer | undefined, members: readonly Member[]): void {
    const { directory, clock } = this.#options;
    directory.merge(members, clock.monotonicMs());
    const [answerer] = members;
    if (answerer === undefined) return;
    if (this.#join.includes(address)) this.#joined.set(address, answerer.Name);
    // Another server may have taken over the address: that says nothing of the one looked for.
    if (answerer.Name === server?.name && answerer.Status === ALIVE) directory.heard(server.name, clock.monotonicMs());
    this.#note(address, undefined);
  }

  /** One line per change, not per round. */
  #note(address: string, error: unknown): void {
    const answers = error === undefined;
    if (this.#answers.get(address) === answers) return;
    this.#answers.set(address, answers);
    const { logger } = this.#options;
    if (answers) logger.info({ address }, "exchanging members");
    else if (error instanceof TransportFailure)
      logger.warn({ address, err: error }, "no answer to the member exchange");
    else if (error instanceof SteppeError) logger.warn({ address, err: error }, "the member exchange was refused");
    else logger.error({ address, err: error }, "the member exchange failed");
  }
}

/**
 * The members that a caller or an answerer of these names (undefined: without TLS) can speak for. Only
 * a server of a region tells of that region's servers when it is the own one; and what comes
 * first, the teller itself, must be of its certificate's region. What is said of servers of third
 * regions is checked when they are dialled.
 */
function credible(members: readonly Member[], names: readonly CertificateName[] | undefined, self: Member): Member[] {
  if (names === undefined || hasRole(names, "server", self.Region)) return [...members];
  const [teller] = members;
  if (teller === undefined || !hasRole(names, "server", teller.Region)) return [];
  return members.filter((member) => member.Region !== self.Region || member.Name === self.Name);
}

const NEVER = new AbortController().signal;
