import type { Command } from "@steppe/proto";
import { Alarm } from "../alarm.ts";
import { decideDrains } from "./decide.ts";
import type { DrainNeeds } from "./needs.ts";

/**
 * Empties the nodes that drain, during one term, until the signal aborts. What is to be done
 * follows from the state alone, so a new leader goes on where the last one was.
 */
export async function runDrains(term: number, needs: DrainNeeds, signal: AbortSignal): Promise<void> {
  const { clock, view, onApplied } = needs;
  const alarm = new Alarm();
  const draining = new Set<string>();
  const look = (id: string): void => {
    if (view.nodes.get(id)?.DrainStrategy === undefined) draining.delete(id);
    else draining.add(id);
  };
  for (const id of view.nodes.slotOf.keys()) look(id);
  const unsubscribe = onApplied(({ changes }) => {
    for (const id of changes.nodes) look(id);
    // Allocations anywhere may be the replacements that are waited for.
    if (draining.size > 0 && (changes.nodes.size > 0 || changes.allocations.size > 0)) alarm.ring();
  });
  while (!signal.aborted) {
    const nowNs = clock.wallNs();
    const { migrate, completed, nextDeadlineNs } = decideDrains(view, draining, nowNs);
    const wrote = (await markAll(term, needs, migrate, signal)) && (await complete(term, needs, completed, signal));
    const untilMs = wrote ? (nextDeadlineNs - nowNs) / 1e6 : RETRY_MS;
    await alarm.wait(clock, Math.max(untilMs, 0), signal);
    // What changes within a moment is looked at together: an entry that empties a node moves many.
    await new Alarm().wait(clock, GATHER_MS, signal);
  }
  unsubscribe();
}

async function markAll(Term: number, needs: DrainNeeds, ids: readonly string[], signal: AbortSignal): Promise<boolean> {
  for (let at = 0; at < ids.length; at += ALLOCATIONS_MAX) {
    const AllocIDs = ids.slice(at, at + ALLOCATIONS_MAX);
    if (!(await write(needs, { $case: "MigrateAllocations", value: { Term, AllocIDs } }, signal))) return false;
    needs.logger.info({ allocations: AllocIDs.length }, "allocations leave draining nodes");
  }
  return true;
}

async function complete(
  Term: number,
  needs: DrainNeeds,
  NodeIDs: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  if (NodeIDs.length === 0) return true;
  const wrote = await write(needs, { $case: "CompleteDrains", value: { Term, NodeIDs: [...NodeIDs] } }, signal);
  if (wrote) needs.logger.info({ nodes: NodeIDs.length, first: NodeIDs[0] }, "node drain complete");
  return wrote;
}

/** False when it is to be tried again. */
async function write(
  { logger, propose }: DrainNeeds,
  kind: NonNullable<Command["Kind"]>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { Refusal: refusal } = await propose(kind, { signal });
    if (refusal === undefined) return true;
    logger.debug({ reason: refusal.Message }, "drain not carried on");
  } catch (error) {
    if (!signal.aborted) logger.warn({ err: error }, "draining nodes failed; trying again");
  }
  return false;
}

const GATHER_MS = 1_000;
const RETRY_MS = 1_000;
/** Ids in one command: about 180 kB. */
const ALLOCATIONS_MAX = 5_000;
