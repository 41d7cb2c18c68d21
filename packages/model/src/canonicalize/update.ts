import type { UpdateStrategy } from "@steppe/proto";
import { MINUTE, SECOND } from "../time.ts";

/**
 * A block whose every value is zero, `Stagger` among them, means no block: servers of the 0.5 era
 * show it so for every job (`{"Stagger":0,"MaxParallel":0}`), and later ones for batch jobs. A
 * stagger of 0 is refused otherwise, so no valid job changes its meaning. `MaxParallel: 0` alone
 * is a choice (all at once, no deployment) and stays.
 */
export function isUnsetUpdate(update: UpdateStrategy): boolean {
  const { Stagger, ...rest } = update;
  return Stagger === 0 && Object.values(rest).every((value) => !value);
}

export function fillUpdate(update: UpdateStrategy): void {
  update.Stagger ??= 30 * SECOND;
  update.MaxParallel ??= 1;
  update.HealthCheck ??= "checks";
  update.MinHealthyTime ??= 10 * SECOND;
  update.HealthyDeadline ??= 5 * MINUTE;
  update.ProgressDeadline ??= 10 * MINUTE;
  update.Canary ??= 0;
  update.AutoRevert ??= false;
  update.AutoPromote ??= false;
}
