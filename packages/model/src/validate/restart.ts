import type { RestartPolicy } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { formatDuration, SECOND } from "../time.ts";

const INTERVAL_MIN = 5 * SECOND;

export function validateRestart(policy: RestartPolicy): string[] {
  const { Attempts = 0, Interval = 0, Delay = 0, Mode = "" } = policy;
  const errors: string[] = [];
  if (Mode !== "delay" && Mode !== "fail") errors.push(`Unsupported restart mode: ${quote(Mode)}`);
  if (Attempts === 0 && Mode !== "fail") {
    errors.push(`Restart policy ${quote(Mode)} with ${Attempts} attempts is ambiguous`);
  }
  if (Interval < INTERVAL_MIN) {
    errors.push(`Interval can not be less than ${formatDuration(INTERVAL_MIN)} (got ${formatDuration(Interval)})`);
  }
  if (Attempts * Delay > Interval) {
    errors.push(
      `Nomad can't restart the TaskGroup ${Attempts} times in an interval of ${formatDuration(Interval)} ` +
        `with a delay of ${formatDuration(Delay)}`,
    );
  }
  return errors;
}
