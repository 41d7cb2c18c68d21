import { cronSpecs } from "@steppe/model";
import type { Job } from "@steppe/proto";
import { Cron } from "croner";

type Periodic = NonNullable<Job["Periodic"]>;

/** Ticks of cron expressions, unix nanoseconds. Whole seconds, in the job's time zone. */
export interface CronTicks {
  /** The first tick after a time; undefined when there is none. */
  next(periodic: Periodic, afterNs: number): number | undefined;
  /** The last tick at or before a time. */
  latest(periodic: Periodic, untilNs: number): number | undefined;
}

export const cronTicks: CronTicks = { next: nextLaunch, latest: latestLaunch };

/** When a periodic job launches next after a time, the earliest of its expressions; undefined when never. */
export function nextLaunch(periodic: Periodic, afterNs: number): number | undefined {
  const after = new Date(Math.floor(afterNs / 1e6));
  const ticks = crons(periodic).map((cron) => cron.nextRun(after)?.getTime());
  return earliest(ticks.filter((tick) => tick !== undefined));
}

/** When it should last have been launched, at or before a time. */
export function latestLaunch(periodic: Periodic, untilNs: number): number | undefined {
  // The library looks before its reference, and a tick on it counts.
  const before = new Date(Math.floor(untilNs / 1e6) + 1);
  const ticks = crons(periodic).flatMap((cron) => cron.previousRuns(1, before).map((tick) => tick.getTime()));
  return ticks.length === 0 ? undefined : Math.max(...ticks) * 1e6;
}

/** Why a cron expression is none, or undefined when it is one. */
export function cronError(spec: string, timeZone: string): string | undefined {
  const parsed = parse(spec, timeZone);
  if (!(parsed instanceof Cron)) return parsed.message;
  try {
    // An unknown time zone shows only when a time is computed.
    parsed.nextRun();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Expressions that do not parse, which validation keeps out, launch nothing. */
function crons(periodic: Periodic): Cron[] {
  const timeZone = isTimeZone(periodic.TimeZone) ? periodic.TimeZone : "UTC";
  return cronSpecs({ Periodic: periodic })
    .map((spec) => parse(spec, timeZone))
    .filter((parsed) => parsed instanceof Cron);
}

/**
 * Five fields are minutes to weekdays. A sixth is the year, as users of this API know it, whereas
 * the library would take six for seconds to weekdays. Seven are seconds to years for both.
 */
function parse(spec: string, timezone: string): Cron | Error {
  const fields = spec.trim().split(/\s+/);
  const pattern = fields.length === 6 ? `0 ${fields.join(" ")}` : fields.join(" ");
  try {
    return new Cron(pattern, { timezone, paused: true, sloppyRanges: true });
  } catch (error) {
    return new Error(messageOf(error));
  }
}

function isTimeZone(timeZone: string | undefined): timeZone is string {
  if (!timeZone) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return true;
  } catch {
    // Its only way to say no. Validation keeps such names out.
    return false;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function earliest(ticksMs: readonly number[]): number | undefined {
  return ticksMs.length === 0 ? undefined : Math.min(...ticksMs) * 1e6;
}
