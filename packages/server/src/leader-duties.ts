import { type AppliedEntry, type HeartbeatTiming, LeaderDuties, type Propose, type RouteTo } from "@steppe/control";
import type { RegionBus } from "@steppe/log";
import type { Clock, Logger, Random } from "@steppe/model";
import type { AgentConfig } from "./config/index.ts";
import type { Replica } from "./replica.ts";

export interface DutyParts {
  readonly config: AgentConfig;
  readonly replica: Replica;
  readonly bus: RegionBus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly route: RouteTo;
}

/** The duties of `packages/control`. */
export interface ServerDuties {
  readonly duties: LeaderDuties;
  readonly timing: HeartbeatTiming;
  run(term: number, signal: AbortSignal): Promise<void>;
}

export function leaderDuties({ config, replica, bus, clock, random, logger, route }: DutyParts): ServerDuties {
  const { server } = config;
  const timing = {
    ttlMinMs: server.minHeartbeatTtlMs,
    perSecondMax: server.maxHeartbeatsPerSecond,
    graceMs: server.heartbeatGraceMs,
    failoverMs: server.failoverHeartbeatTtlMs,
  };
  const duties = new LeaderDuties(
    {
      ...{ clock, random, logger, bus, view: replica.view },
      ...{ propose: proposeTo(replica), onApplied: onAppliedOf(replica), route, region: config.region },
    },
    {
      broker: { nackTimeoutMs: server.evalNackTimeoutMs, deliveries: server.evalDeliveryLimit },
      heartbeat: timing,
      gc: server.gc,
    },
  );
  return {
    duties,
    timing,
    run: (term, signal) => duties.run(term, signal),
  };
}

/** The proposer as the duties and workers see it. */
export function proposeTo({ proposer }: Replica): Propose {
  return (kind, options) => proposer.propose(kind, options);
}

export function onAppliedOf({ applier }: Replica): (listener: (applied: AppliedEntry) => void) => () => void {
  return (listener) => applier.onApplied(listener);
}
