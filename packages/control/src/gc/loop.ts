import { Alarm } from "../alarm.ts";
import { type Cutoffs, findGarbage, type Garbage, noGarbage } from "./decide.ts";
import type { GcNeeds, GcSettings } from "./needs.ts";

/** Takes away, during one term, what nothing needs any more, until the signal aborts. */
export async function runGarbageCollection(
  term: number,
  needs: GcNeeds,
  settings: GcSettings,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger } = needs;
  while (!signal.aborted) {
    await new Alarm().wait(clock, settings.intervalMs, signal);
    if (signal.aborted) return;
    try {
      await collect(term, needs, cutoffsAt(clock.wallNs(), settings), signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "garbage collection failed; trying again");
    }
  }
}

function cutoffsAt(nowNs: number, settings: GcSettings): Cutoffs {
  const before = (ms: number) => nowNs - ms * 1e6;
  return {
    jobs: before(settings.jobMs),
    evaluations: before(settings.evaluationMs),
    batchEvaluations: before(settings.batchEvaluationMs),
    deployments: before(settings.deploymentMs),
    nodes: before(settings.nodeMs),
  };
}

/** Everything that has ended is old enough: what a user who asks for it wants gone. */
export function collectEverything(needs: GcNeeds, signal: AbortSignal): Promise<number> {
  const now = Number.POSITIVE_INFINITY;
  return collect(
    0,
    needs,
    { jobs: now, evaluations: now, batchEvaluations: now, deployments: now, nodes: now },
    signal,
  );
}

/**
 * Resolves with the log index at the end, 0 when there was nothing to do. Written in commands well under the log's
 * limit, and walked in slices: a pass over a million evaluations must not hold up the lease.
 */
async function collect(term: number, needs: GcNeeds, cutoffs: Cutoffs, signal: AbortSignal): Promise<number> {
  const { clock, view, logger } = needs;
  let gathered = noGarbage();
  let index = 0;
  let removed = 0;
  const write = async () => {
    if (sizeOf(gathered) === 0) return;
    const batch = gathered;
    gathered = noGarbage();
    for (const value of split(batch)) {
      const outcome = await needs.propose({ $case: "CollectGarbage", value: { ...value, Term: term } }, { signal });
      if (outcome.Refusal !== undefined) throw new Error(outcome.Refusal.Message);
      index = outcome.Index;
      removed += outcome.Removed;
    }
  };
  let steps = 0;
  for (const found of findGarbage(view, cutoffs)) {
    if (signal.aborted) return index;
    add(gathered, found);
    if (sizeOf(gathered) >= BATCH_MAX) await write();
    steps += 1;
    if (steps % SLICE === 0) await new Alarm().wait(clock, 0, signal);
  }
  await write();
  if (removed > 0) logger.info({ removed }, "collected garbage");
  return index;
}

const LISTS = ["Jobs", "EvalIDs", "AllocIDs", "DeploymentIDs", "NodeIDs"] as const;

function add(to: Garbage, from: Garbage): void {
  to.Jobs.push(...from.Jobs);
  for (const list of LISTS) if (list !== "Jobs") for (const id of from[list]) to[list].push(id);
}

function sizeOf(garbage: Garbage): number {
  return LISTS.reduce((sum, list) => sum + garbage[list].length, 0);
}

/** One job may have more than a command holds. */
function* split(garbage: Garbage): Generator<Garbage> {
  const longest = Math.max(...LISTS.map((list) => garbage[list].length));
  for (let at = 0; at < longest; at += BATCH_MAX) {
    const part = (list: (typeof LISTS)[number]) => garbage[list].slice(at, at + BATCH_MAX);
    yield {
      Jobs: garbage.Jobs.slice(at, at + BATCH_MAX),
      EvalIDs: part("EvalIDs") as string[],
      AllocIDs: part("AllocIDs") as string[],
      DeploymentIDs: part("DeploymentIDs") as string[],
      NodeIDs: part("NodeIDs") as string[],
    };
  }
}

/** Names in one command. Four lists of them, at 38 bytes each, are 300 kB; jobs' names may be longer. */
const BATCH_MAX = 2_000;
/** Jobs, deployments and nodes that are looked at in a row. */
const SLICE = 500;
