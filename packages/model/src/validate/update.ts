import type { UpdateStrategy } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { formatDuration } from "../time.ts";

export function validateUpdate(update: UpdateStrategy): string[] {
  const { HealthCheck = "", MaxParallel = 0, Canary = 0, AutoPromote = false } = update;
  const { MinHealthyTime = 0, HealthyDeadline = 0, ProgressDeadline = 0, Stagger = 0 } = update;
  const errors: string[] = [];
  if (!["checks", "task_states", "manual"].includes(HealthCheck)) {
    errors.push(`Invalid health check given: ${quote(HealthCheck)}`);
  }
  if (MaxParallel < 0) errors.push(`Max parallel can not be less than zero: ${MaxParallel} < 0`);
  if (Canary < 0) errors.push(`Canary count can not be less than zero: ${Canary} < 0`);
  if (Canary === 0 && AutoPromote) errors.push("Auto Promote requires a Canary count greater than zero");
  if (MinHealthyTime < 0) {
    errors.push(`Minimum healthy time may not be less than zero: ${formatDuration(MinHealthyTime)}`);
  }
  if (HealthyDeadline <= 0)
    errors.push(`Healthy deadline must be greater than zero: ${formatDuration(HealthyDeadline)}`);
  if (ProgressDeadline < 0)
    errors.push(`Progress deadline must be zero or greater: ${formatDuration(ProgressDeadline)}`);
  if (MinHealthyTime >= HealthyDeadline) {
    errors.push(
      `Minimum healthy time must be less than healthy deadline: ${formatDuration(MinHealthyTime)} > ${formatDuration(HealthyDeadline)}`,
    );
  }
  if (ProgressDeadline !== 0 && HealthyDeadline >= ProgressDeadline) {
    errors.push(
      `Healthy deadline must be less than progress deadline: ${formatDuration(HealthyDeadline)} > ${formatDuration(ProgressDeadline)}`,
    );
  }
  if (Stagger <= 0) errors.push(`Stagger must be greater than zero: ${formatDuration(Stagger)}`);
  return errors;
}
