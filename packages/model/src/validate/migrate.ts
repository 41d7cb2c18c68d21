import type { MigrateStrategy } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { formatDuration } from "../time.ts";

export function validateMigrate(migrate: MigrateStrategy): string[] {
  const { MaxParallel = 0, HealthCheck = "", MinHealthyTime = 0, HealthyDeadline = 0 } = migrate;
  const errors: string[] = [];
  if (MaxParallel < 0) errors.push(`MaxParallel must be >= 0 but found ${MaxParallel}`);
  if (HealthCheck === "") {
    if (MaxParallel > 0) errors.push("Missing HealthCheck");
  } else if (HealthCheck !== "checks" && HealthCheck !== "task_states") {
    errors.push(`Invalid HealthCheck: ${quote(HealthCheck)}`);
  }
  if (MinHealthyTime < 0) errors.push(`MinHealthyTime is ${formatDuration(MinHealthyTime)} and must be >= 0`);
  if (HealthyDeadline < 0) errors.push(`HealthyDeadline is ${formatDuration(HealthyDeadline)} and must be >= 0`);
  if (MinHealthyTime > HealthyDeadline) errors.push("MinHealthyTime must be less than HealthyDeadline");
  return errors;
}
