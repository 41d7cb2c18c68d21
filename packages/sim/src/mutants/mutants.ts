/** Deliberate bugs, each in the place of a real part, and the check that is to find it. */
import type { Clock } from "@steppe/model";
import type { Life } from "../kernel/life.ts";
import { type Plan, planOf } from "../run.ts";
import { type Parts, REAL_PARTS } from "../world/parts.ts";
import {
  dropPlanCheck,
  forgetBlocked,
  forgetTick,
  ignoreFencing,
  losePlacements,
  loseWakeUp,
  skipDeduplication,
} from "./apply.ts";
import { blankRecords, forgetEvaluations, renameRetries } from "./log.ts";
import { acknowledgeEarly, loseAssignments, serveStale } from "./services.ts";

export interface Mutant {
  readonly name: string;
  readonly parts: Parts;
  /** Any of these finds it. */
  readonly caughtBy: readonly string[];
  /** What it is tried with, by seed. */
  readonly plan: (seed: number) => Plan;
}

const mutant = (name: string, caughtBy: readonly string[], parts: Partial<Parts>, plan = planOf): Mutant => ({
  name,
  caughtBy,
  parts: { ...REAL_PARTS, ...parts },
  plan,
});

/** Three servers, of which the one that leads is cut off from the log for two leases, three times. */
function leadersCutOff(seed: number): Plan {
  const plan = planOf(seed);
  const way = (["out", "both", "in"] as const)[seed % 3] ?? "both";
  const cut = { kind: "cut-from-nats", machine: "eu-leader", way, forMs: 6000 } as const;
  return {
    ...plan,
    calmMs: 30_000,
    world: { ...plan.world, regions: [{ name: "eu", servers: 3, workers: 0, nodes: 3 }] },
    faults: [5000, 14_000, 22_500].map((atMs) => ({ ...cut, atMs })),
  };
}

/** Some servers take 100 milliseconds for 40, so that their lease seems to last longer than it does. */
function slowLease(real: Clock, life: Life): Clock {
  if (!/server[02]$/.test(life.name)) return real;
  return { ...real, monotonicMs: () => real.monotonicMs() * 0.4 };
}

export const MUTANTS: readonly Mutant[] = [
  mutant("a repeat is taken for a new request", ["exactly once", "linearizable"], { apply: skipDeduplication }),
  mutant("fencing is ignored", ["lease"], { apply: ignoreFencing }, leadersCutOff),
  mutant("plans are not checked", ["scheduler"], { apply: dropPlanCheck }),
  mutant("a write is acknowledged before it is appended", ["exactly once", "linearizable"], {
    serve: acknowledgeEarly,
  }),
  mutant("a blocked evaluation is forgotten", ["settled"], { apply: forgetBlocked }),
  mutant("a consistent read is stale", ["linearizable"], { serve: serveStale }),
  mutant("a leader's own clock does not end its lease", ["lease"], { clock: slowLease }, leadersCutOff),
  mutant("a periodic launch records no tick", ["periodic"], { apply: forgetTick }),
  mutant("a wake-up of blocking queries is lost", ["blocking"], { apply: loseWakeUp }),
  mutant("an entry is sent again under new request IDs", ["exactly once", "linearizable"], { log: renameRetries }),
  mutant("a snapshot leaves a table out", ["digest", "fatal"], { log: forgetEvaluations }),
  mutant("a replica applies other bytes than the log's", ["digest", "fatal"], { log: blankRecords }),
  mutant("a plan's placements are lost", ["settled"], { apply: losePlacements }),
  mutant("changes are left out of the streams to nodes", ["settled"], { serve: loseAssignments }),
];
