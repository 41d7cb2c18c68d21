import type { AllocationView } from "@steppe/state";
import type { Wanted } from "./changes.ts";
import { awaitingReplacement, isStoppedAtLeisure, present } from "./disconnect.ts";
import type { GroupOptions, Sorted } from "./group.ts";
import { NameIndexes } from "./names.ts";
import type { Pace } from "./pace.ts";
import { replacementOf } from "./replacement.ts";
import { isCanarying } from "./rollout.ts";

/**
 * Canaries that are missing. Each is named as an allocation that it would replace, the lowest
 * first, so for a while there are two of that name; those beyond get free names. What replaces a
 * canary is one, under its name.
 */
export function canariesWanted(
  canaries: Sorted,
  destructive: readonly AllocationView[],
  others: Sorted,
  { state }: Pace,
  options: GroupOptions,
): Wanted[] {
  const { replace, lost, migrate } = canaries;
  // One that was unknown before may have been replaced already.
  const gone = lost.filter((it) => !isStoppedAtLeisure(it) && it.NextAllocation === "");
  const missed = [...replace, ...gone, ...migrate, ...awaitingReplacement(canaries)];
  const replaced = missed.map((previous) => ({
    ...replacementOf(previous, previous.NameIndex, options),
    canary: true,
  }));
  const { status } = options.rollout;
  if (!isCanarying(state) || status === "paused" || status === "failed") return replaced;
  const there = [...new Set([...present(canaries), ...missed])];
  const missing = Math.max(0, (state?.DesiredCanaries ?? 0) - there.length);
  return [...replaced, ...names(there, destructive, others, missing).map((nameIndex) => ({ nameIndex, canary: true }))];
}

function names(
  canaries: readonly AllocationView[],
  destructive: readonly AllocationView[],
  others: Sorted,
  count: number,
): number[] {
  const held = canaries.map(({ NameIndex }) => NameIndex);
  const shared = destructive.map(({ NameIndex }) => NameIndex).filter((name) => !held.includes(name));
  const chosen = shared.slice(0, count);
  const taken = [present(others), others.replace, others.lost, others.unknown, others.disconnect]
    .flat()
    .map(({ NameIndex }) => NameIndex);
  const free = new NameIndexes([...held, ...taken]);
  while (chosen.length < count) chosen.push(free.lowest());
  return chosen;
}
