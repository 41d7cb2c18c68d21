/**
 * A client of the API: calls one server after the other, as a tool with a list of addresses does, and knows of each call
 * whether it took effect, did not, or may have. Writes keep their request ID over all tries.
 */
import { SteppeError } from "@steppe/model";
import { QueryOptions, WriteOptions } from "@steppe/proto";
import { type Channels, type RegionServices, TransportFailure } from "@steppe/regions";
import { type GrpcMethod, grpcMethods, REGION_DEFINITIONS } from "@steppe/regions/internal";
import { Life } from "../kernel/life.ts";
import type { SeededRandom } from "../kernel/random.ts";
import { type Region, regionOf, type World } from "../world/world.ts";

export type Result<T> =
  | { readonly kind: "ok"; readonly value: T }
  /** Had no effect and will have none. */
  | { readonly kind: "failed"; readonly error: Error }
  | { readonly kind: "unknown"; readonly error: Error }
  /** The rules forbid it. */
  | { readonly kind: "refused"; readonly error: SteppeError };

const CALL_TIMEOUT_MS = 8000;
const TRIES = 3;

/** Codes of errors that say for certain that a write had no effect. */
const NO_EFFECT = new Set(["no-quorum", "no-path-to-region", "too-large", "invalid", "no-leader"]);
const REFUSED = new Set(["refused", "not-found", "stale-term", "permission-denied"]);

type ServiceName = keyof RegionServices;
type Answer<S extends ServiceName, M extends keyof RegionServices[S]> = RegionServices[S][M] extends (
  ...args: never[]
) => Promise<infer T>
  ? T
  : never;
type Request<S extends ServiceName, M extends keyof RegionServices[S]> = RegionServices[S][M] extends (
  request: infer T,
  ...rest: never[]
) => unknown
  ? T
  : never;

export class Client {
  readonly life: Life;
  readonly random: SeededRandom;
  readonly #world: World;
  readonly #channels: Channels;

  constructor(world: World, name: string) {
    this.#world = world;
    this.random = world.random.child(name);
    const skew = { wallMs: 0, rate: 1 };
    this.life = new Life({ name, kernel: world.kernel, random: this.random, logger: world.logger(name), skew });
    this.#channels = world.grpc.channels(this.life);
  }

  query(region: Region, fields: Partial<QueryOptions> = {}): QueryOptions {
    return { ...QueryOptions.create(), Region: region.name, Namespace: "default", ...fields };
  }

  write(region: Region): WriteOptions {
    return { ...WriteOptions.create(), Region: region.name, Namespace: "default", RequestID: this.random.id() };
  }

  /** An address to call: mostly of the own region. */
  address(): string {
    const { regions } = this.#world;
    const own = regions.find(({ name }) => name === regionOf(this.life.name)) ?? (regions[0] as Region);
    const region = this.random.chance(0.8) ? own : this.random.pick(regions);
    return this.random.pick(region.servers).address;
  }

  /** One call, tried again elsewhere when no answer comes. */
  async call<S extends ServiceName, M extends keyof RegionServices[S] & string>(
    service: S,
    name: M,
    request: Request<S, M>,
    options: { readonly timeoutMs?: number; readonly address?: string; readonly tries?: number } = {},
  ): Promise<Result<Answer<S, M>>> {
    const methods = grpcMethods(REGION_DEFINITIONS[service]) as Record<string, GrpcMethod<unknown, unknown>>;
    const method = methods[name] as GrpcMethod<unknown, unknown>;
    let mayHaveActed = false;
    let last = new Error("not tried");
    for (let n = 0; n < (options.tries ?? TRIES); n++) {
      if (n > 0) await this.life.clock.after(this.random.between(20, 400));
      const signal = new AbortController().signal;
      try {
        const channel = this.#channels.to(options.address ?? this.address(), undefined);
        const value = await channel.unary(method, request, { signal, timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS });
        return { kind: "ok", value: value as Answer<S, M> };
      } catch (error) {
        last = error as Error;
        if (error instanceof TransportFailure) mayHaveActed ||= error.reached;
        else if (!(error instanceof SteppeError)) throw error;
        // The log remembers the first outcome, so that a refusal is the answer whatever went before.
        else if (REFUSED.has(error.code)) return { kind: "refused", error };
        else mayHaveActed ||= !NO_EFFECT.has(error.code);
      }
    }
    return { kind: mayHaveActed ? "unknown" : "failed", error: last };
  }
}
