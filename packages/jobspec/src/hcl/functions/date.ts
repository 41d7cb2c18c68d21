import { formatTime, parseDuration, parseTime, SECOND } from "@steppe/model";
import { toText } from "../value.ts";
import { type FunctionTable, refuse, taking } from "./function.ts";

export const DATE_FUNCTIONS: FunctionTable = {
  timeadd: taking(2, 2, (time = null, duration = null) => {
    const [from, by] = [parseTime(toText(time)), parseDuration(toText(duration))];
    if (from === undefined) return refuse("expected a time such as 2006-01-02T15:04:05Z");
    return by === undefined ? refuse('expected a duration such as "1h30m"') : formatTime(from + by);
  }),
  formatdate: taking(2, 2, (pattern = null, time = null) => formatDate(toText(pattern), toText(time))),
};

const DAY_SECONDS = 86_400;
const MONTHS = "January February March April May June July August September October November December".split(" ");
// 1970-01-01 was a Thursday.
const WEEKDAYS = "Thursday Friday Saturday Sunday Monday Tuesday Wednesday".split(" ");

/** A time by the clock of the zone it is written in. */
interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: string;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** `+00:00`; undefined for UTC written as `Z`. */
  readonly offset: string | undefined;
}

function civilTime(text: string): CivilTime {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-]\d\d:\d\d))$/.exec(text);
  const midnight = parts === null ? undefined : parseTime(`${parts[1]}-${parts[2]}-${parts[3]}T00:00:00Z`);
  if (parts === null || midnight === undefined || parseTime(text) === undefined) {
    return refuse(`not a valid RFC3339 timestamp: ${JSON.stringify(text)}`);
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  const days = Math.floor(midnight / SECOND / DAY_SECONDS);
  const weekday = WEEKDAYS[((days % 7) + 7) % 7] as string;
  const offset = parts[7] === "+00:00" || parts[7] === "-00:00" ? undefined : parts[7];
  return { year, month, day, weekday, hour, minute, second, offset };
}

/** Letters stand for parts of the time, in runs of one letter; what is between single quotes is itself. */
function formatDate(pattern: string, time: string): string {
  const civil = civilTime(time);
  if ((pattern.match(/'/g) ?? []).length % 2 === 1) return refuse("unterminated literal '");
  return pattern.replace(/'((?:[^']|'')*)'|([A-Za-z])\2*/g, (run: string, literal: string | undefined) => {
    if (literal !== undefined) return literal.replaceAll("''", "'");
    const verb = Object.hasOwn(VERBS, run) ? VERBS[run] : undefined;
    return verb === undefined ? refuse(`unknown format verb ${JSON.stringify(run)}`) : verb(civil);
  });
}

const two = (n: number): string => String(n).padStart(2, "0");
const twelve = (hour: number): number => hour % 12 || 12;
const joined = (offset: string | undefined): string => (offset ?? "+00:00").replace(":", "");

const VERBS: Readonly<Record<string, (time: CivilTime) => string>> = {
  YYYY: ({ year }) => String(year).padStart(4, "0"),
  YY: ({ year }) => two(year % 100),
  MMMM: ({ month }) => MONTHS[month - 1] as string,
  MMM: ({ month }) => (MONTHS[month - 1] as string).slice(0, 3),
  MM: ({ month }) => two(month),
  M: ({ month }) => String(month),
  DD: ({ day }) => two(day),
  D: ({ day }) => String(day),
  EEEE: ({ weekday }) => weekday,
  EEE: ({ weekday }) => weekday.slice(0, 3),
  hh: ({ hour }) => two(hour),
  h: ({ hour }) => String(hour),
  HH: ({ hour }) => two(twelve(hour)),
  H: ({ hour }) => String(twelve(hour)),
  AA: ({ hour }) => (hour < 12 ? "AM" : "PM"),
  aa: ({ hour }) => (hour < 12 ? "am" : "pm"),
  mm: ({ minute }) => two(minute),
  m: ({ minute }) => String(minute),
  ss: ({ second }) => two(second),
  s: ({ second }) => String(second),
  ZZZZZ: ({ offset }) => offset ?? "+00:00",
  ZZZZ: ({ offset }) => joined(offset),
  ZZZ: ({ offset }) => (offset === undefined ? "UTC" : joined(offset)),
  Z: ({ offset }) => offset ?? "Z",
};
