import type { ParameterizedJobConfig, PeriodicConfig } from "@steppe/proto";
import { quote } from "../go-text.ts";
import type { ValidationLimits } from "./limits.ts";

export function validatePeriodic(periodic: PeriodicConfig, limits: ValidationLimits): string[] {
  const errors: string[] = [];
  if (periodic.Spec !== "" && periodic.Specs.length > 0) errors.push("Only cron or crons may be used");
  const specs = [...(periodic.Spec === "" ? [] : [periodic.Spec]), ...periodic.Specs];
  if (specs.length === 0) errors.push("Must specify a spec");
  const timeZone = periodic.TimeZone ?? "UTC";
  const known = limits.isTimeZone(timeZone);
  if (!known) errors.push(`Invalid time zone ${quote(timeZone)}: unknown time zone ${timeZone}`);
  if (periodic.SpecType !== "cron") {
    errors.push(`Unknown periodic specification type ${quote(periodic.SpecType ?? "")}`);
    return errors;
  }
  for (const spec of specs) {
    const error = limits.cronError(spec, known ? timeZone : "UTC");
    if (error !== undefined) errors.push(`Invalid cron spec ${quote(spec)}: ${error}`);
  }
  return errors;
}

export function validateParameterized(config: ParameterizedJobConfig): string[] {
  const errors: string[] = [];
  if (!["optional", "required", "forbidden"].includes(config.Payload)) {
    errors.push(`Unknown payload requirement: ${quote(config.Payload)}`);
  }
  const both = config.MetaRequired.filter((key) => config.MetaOptional.includes(key));
  if (both.length > 0) {
    errors.push(
      `Required and optional meta keys should be disjoint. Following keys exist in both: [${[...new Set(both)].join(" ")}]`,
    );
  }
  return errors;
}
