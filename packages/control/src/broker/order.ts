import type { Evaluation } from "@steppe/proto";

/** Whether `a` is handed out before `b`: higher priority first, then the older one. */
export function handedOutBefore(a: Evaluation, b: Evaluation): boolean {
  if (a.Priority !== b.Priority) return a.Priority > b.Priority;
  if (a.CreateIndex !== b.CreateIndex) return a.CreateIndex < b.CreateIndex;
  return a.ID < b.ID;
}

/** Among those that wait behind another one of their job: higher priority first, then the newer one, which knows more. */
export function waitsBefore(a: Evaluation, b: Evaluation): number {
  return b.Priority - a.Priority || b.CreateIndex - a.CreateIndex || (a.ID < b.ID ? -1 : 1);
}
