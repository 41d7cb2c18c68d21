/** Deliberate bugs, each in the place of a real part, and the check that is to find it. */
import type { Clock } from "@steppe/model";
import type { Fault } from "../faults/faults.ts";
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
import { boast, neverSync, overlookLoss } from "./disks.ts";
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

/** Two servers with journals, and what goes wrong with them. */
function withJournals(faults: readonly Fault[]): (seed: number) => Plan {
  return (seed) => {
    const plan = planOf(seed);
    const world = {
      ...plan.world,
      regions: [{ name: "eu", servers: 2, workers: 0, nodes: 3 }],
      server: { ...plan.world.server, durability: "journal" as const },
    };
    return { ...plan, calmMs: 20_000, world, faults };
  };
}

const tailLost: Fault = { kind: "log-loss", region: "eu", how: "tail", share: 0.3, atMs: 10_000, forMs: 500 };
/** As when a whole site is without power. */
const powerLost = withJournals([{ kind: "blackout", region: "eu", atMs: 10_050, forMs: 2000 }, tailLost]);
const logLost = withJournals([tailLost]);
/** One is behind when all has to be rebuilt. */
const lostToOneBehind = withJournals([
  { kind: "cut-from-nats", machine: "eu-server1", way: "both", atMs: 8000, forMs: 3000 },
  { ...tailLost, share: 0.6 },
]);

/** Some servers take 100 milliseconds for 40, so that their lease seems to last longer than it does. */
function slowLease(real: Clock, life: Life): Clock {
  if (!/server[02]$/.test(life.name)) return real;
  return { ...real, monotonicMs: () => real.monotonicMs() * 0.4 };
}

export const MUTANTS: readonly Mutant[] = [
  mutant("a repeat is taken for a new request", ["exactly once", "linearizable"], { apply: skipDeduplication }),
  mutant("fencing is ignored", ["lease"], { apply: ignoreFencing }, leadersCutOff),
  mutant("plans are not checked", ["scheduler"], { apply: dropPlanCheck }),
  mutant("a write is acknowledged before it is appended", ["exactly once", "linearizable", "index"], {
    serve: acknowledgeEarly,
  }),
  mutant("a blocked evaluation is forgotten", ["settled"], { apply: forgetBlocked }),
  mutant("a consistent read is stale", ["linearizable"], { serve: serveStale }),
  // Workers that go on asking one that leads no more are given nothing.
  mutant("a leader's own clock does not end its lease", ["lease", "settled"], { clock: slowLease }, leadersCutOff),
  mutant("a periodic launch records no tick", ["periodic"], { apply: forgetTick }),
  mutant("a wake-up of blocking queries is lost", ["blocking"], { apply: loseWakeUp }),
  mutant("an entry is sent again under new request IDs", ["exactly once", "linearizable"], { log: renameRetries }),
  mutant("a snapshot leaves a table out", ["digest", "fatal"], { log: forgetEvaluations }),
  mutant("a replica applies other bytes than the log's", ["digest", "fatal"], { log: blankRecords }),
  mutant("a plan's placements are lost", ["settled"], { apply: losePlacements }),
  mutant("changes are left out of the streams to nodes", ["settled"], { serve: loseAssignments }),
  mutant(
    "a write is acknowledged before the journal is durable",
    ["exactly once", "linearizable", "index"],
    { files: neverSync },
    powerLost,
  ),
  mutant(
    "a rebuild takes a journal that is not the furthest",
    ["exactly once", "linearizable", "rebuild"],
    { bus: boast },
    lostToOneBehind,
  ),
  mutant("a lost log is not noticed", ["digest", "exactly once", "linearizable"], { log: overlookLoss }, logLost),
];
