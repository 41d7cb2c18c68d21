import type { ReschedulePolicy } from "@steppe/proto";
import { quote, quoteList } from "../go-text.ts";
import { isRescheduleEnabled } from "../reschedule.ts";
import { formatDuration, SECOND } from "../time.ts";

const DELAY_MIN = 5 * SECOND;
const INTERVAL_MIN = 15 * SECOND;
const DELAY_FUNCTIONS = ["constant", "exponential", "fibonacci"];

interface Settings {
  readonly attempts: number;
  readonly interval: number;
  readonly delay: number;
  readonly delayFunction: string;
  readonly maxDelay: number;
}

/** A policy that never reschedules is right whatever else it says. */
export function validateReschedule(policy: ReschedulePolicy): string[] {
  if (!isRescheduleEnabled(policy)) return [];
  const settings: Settings = {
    attempts: policy.Attempts ?? 0,
    interval: policy.Interval ?? 0,
    delay: policy.Delay ?? 0,
    delayFunction: policy.DelayFunction ?? "",
    maxDelay: policy.MaxDelay ?? 0,
  };
  const unlimited = policy.Unlimited ?? false;
  const delays = checkDelays(settings);
  const errors = [...checkAmbiguity(settings, unlimited), ...delays];
  if (unlimited) return errors;
  if (settings.interval < INTERVAL_MIN) {
    errors.push(
      `Interval cannot be less than ${formatDuration(INTERVAL_MIN)} (got ${formatDuration(settings.interval)})`,
    );
  }
  // With delays that make no sense the attempts cannot be counted.
  return delays.length > 0 ? errors : [...errors, ...checkAttempts(settings)];
}

function checkAmbiguity({ attempts, interval }: Settings, unlimited: boolean): string[] {
  if (attempts <= 0) return [];
  const errors = interval <= 0 ? ["Interval must be a non zero value if Attempts > 0"] : [];
  if (!unlimited) return errors;
  return [
    ...errors,
    `Reschedule Policy with Attempts = ${attempts}, Interval = ${formatDuration(interval)}, and Unlimited = true is ambiguous`,
    "If Attempts >0, Unlimited cannot also be set to true",
  ];
}

function checkDelays({ delay, delayFunction, maxDelay }: Settings): string[] {
  const errors: string[] = [];
  if (delay < DELAY_MIN) {
    errors.push(`Delay cannot be less than ${formatDuration(DELAY_MIN)} (got ${formatDuration(delay)})`);
  }
  if (!DELAY_FUNCTIONS.includes(delayFunction)) {
    errors.push(`Invalid delay function ${quote(delayFunction)}, must be one of ${quoteList(DELAY_FUNCTIONS)}`);
  }
  if (delayFunction === "constant") return errors;
  if (maxDelay < DELAY_MIN) {
    // The API names the delay here, not the maximum.
    errors.push(`Max Delay cannot be less than ${formatDuration(DELAY_MIN)} (got ${formatDuration(delay)})`);
  }
  if (maxDelay < delay) {
    errors.push(`Max Delay cannot be less than Delay ${formatDuration(delay)} (got ${formatDuration(maxDelay)})`);
  }
  return errors;
}

function checkAttempts(settings: Settings): string[] {
  const { attempts, interval, delay, delayFunction, maxDelay } = settings;
  const { possible, needed } = viableAttempts(settings);
  if (possible >= attempts) return [];
  const ceiling =
    delayFunction === "constant"
      ? ` and delay function ${quote(delayFunction)}`
      : `, delay function ${quote(delayFunction)}, and delay ceiling ${formatDuration(maxDelay)}`;
  const rounded = formatDuration(Math.round(needed / SECOND) * SECOND);
  return [
    `Nomad can only make ${possible} attempts in ${formatDuration(interval)} with initial delay ${formatDuration(delay)}${ceiling}`,
    `Set the interval to at least ${rounded} to accommodate ${attempts} attempts`,
  ];
}

/** How many attempts the interval holds, and the interval that would hold all of them. */
function viableAttempts(settings: Settings): { possible: number; needed: number } {
  switch (settings.delayFunction) {
    case "constant":
      return constantAttempts(settings);
    case "exponential":
      return exponentialAttempts(settings);
    default:
      return fibonacciAttempts(settings);
  }
}

function constantAttempts({ attempts, interval, delay }: Settings): { possible: number; needed: number } {
  const needed = attempts * delay;
  return { possible: interval < needed ? Math.floor(interval / delay) : attempts, needed };
}

function exponentialAttempts({ attempts, interval, delay, maxDelay }: Settings): { possible: number; needed: number } {
  let possible = 0;
  let needed = 0;
  for (let i = 0; i < attempts; i++) {
    const next = 2 ** i * delay;
    needed = next > maxDelay ? needed + maxDelay : next;
    if (needed < interval) possible++;
    // Every further one adds the ceiling: past the interval none fits, and the sum is a product.
    else if (next > maxDelay) return { possible, needed: needed + (attempts - i - 1) * maxDelay };
  }
  return { possible, needed };
}

function fibonacciAttempts({ attempts, interval, delay, maxDelay }: Settings): { possible: number; needed: number } {
  let [beforeLast, last] = [delay, delay];
  let fitting = delay > interval ? 0 : Math.min(2, attempts);
  let atCeiling = false;
  for (let i = 2; i < attempts; i++) {
    let next = atCeiling ? last + maxDelay : last + beforeLast;
    if (!atCeiling && next > maxDelay) {
      next = maxDelay;
      atCeiling = true;
    }
    if (next <= interval) fitting = i + 1;
    else if (atCeiling) return { possible: fitting, needed: next + (attempts - i - 1) * maxDelay };
    [beforeLast, last] = [last, next];
  }
  return { possible: last > interval ? Math.min(fitting, attempts - 1) : attempts, needed: last };
}
