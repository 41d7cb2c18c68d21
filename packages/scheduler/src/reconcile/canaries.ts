import type { AllocationView } from "@steppe/state";
import type { Wanted } from "./changes.ts";
import type { GroupOptions, Sorted } from "./group.ts";
import { NameIndexes } from "./names.ts";
import type { Pace } from "./pace.ts";
import { replacementOf } from "./replacement.ts";
import { isCanarying } from "./rollout.ts";

/**
 * Canaries that are missing. Each is named as an allocation that it would replace, the lowest
 * first, so for a while there are two of that name; those beyond get free names.
 */
export function canariesWanted(
  canaries: Sorted,
  destructive: readonly AllocationView[],
  others: Sorted,
  { state }: Pace,
  options: GroupOptions,
): Wanted[] {
  const replaced = canaries.replace.map((previous) => ({
    ...replacementOf(previous, previous.NameIndex, options),
    canary: true,
  }));
  const { status } = options.rollout;
  if (!isCanarying(state) || status === "paused" || status === "failed") return replaced;
  const there = [canaries.keep, canaries.wait, canaries.spent, canaries.replace].flat();
  const missing = Math.max(0, (state?.DesiredCanaries ?? 0) - there.length);
  return [...replaced, ...names(there, destructive, others, missing).map((nameIndex) => ({ nameIndex, canary: true }))];
}

function names(
  canaries: readonly AllocationView[],
  destructive: readonly AllocationView[],
  { keep, migrate, spent, wait, replace, lost }: Sorted,
  count: number,
): number[] {
  const held = canaries.map(({ NameIndex }) => NameIndex);
  const shared = destructive.map(({ NameIndex }) => NameIndex).filter((name) => !held.includes(name));
  const chosen = shared.slice(0, count);
  const taken = [keep, migrate, spent, wait, replace, lost].flat().map(({ NameIndex }) => NameIndex);
  const free = new NameIndexes([...held, ...taken]);
  while (chosen.length < count) chosen.push(free.lowest());
  return chosen;
}
