// Points in time and durations are plain numbers of nanoseconds. A point in time is unix time;
// zero stands for "never", which the API writes as the first second of year 1.

export const NANOSECOND = 1;
export const MILLISECOND = 1e6;
export const SECOND = 1e9;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

const ZERO_TIME = "0001-01-01T00:00:00Z";

/**
 * RFC 3339 text with up to nine fractional digits, in UTC: the shortest of whole milli-, micro-
 * and nanoseconds that gives the same number when it is read back.
 */
export function formatTime(nanoseconds: number): string {
  if (nanoseconds === 0) return ZERO_TIME;
  // Whole seconds are exact in a double for centuries to come, milliseconds would not be.
  const rounded = Math.floor(nanoseconds / SECOND);
  const seconds = nanoseconds < rounded * SECOND ? rounded - 1 : rounded;
  const fraction = Math.round(nanoseconds - seconds * SECOND);
  if (seconds !== lastSeconds) {
    lastText = civil(seconds);
    lastSeconds = seconds;
  }
  return `${lastText}${decimals(shortest(seconds, fraction, nanoseconds))}Z`;
}

/** The second that was written last: times of one list lie close together. */
let lastSeconds = Number.NaN;
let lastText = "";

function shortest(seconds: number, fraction: number, nanoseconds: number): number {
  for (const unit of [1e6, 1e3]) {
    const shorter = Math.round(fraction / unit) * unit;
    if (shorter < SECOND && seconds * SECOND + shorter === nanoseconds) return shorter;
  }
  return fraction;
}

function decimals(fraction: number): string {
  return fraction === 0 ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/, "")}`;
}

// Civil date from days (Howard Hinnant, "chrono-compatible low-level date algorithms"); pure code
// may not use Date, whose constructor without arguments is a clock.
function civil(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (n: number) => String(n).padStart(2, "0");
  const clock = [rest / 3600, (rest / 60) % 60, rest % 60].map((n) => two(Math.floor(n))).join(":");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${clock}`;
}

/** Unix nanoseconds of an RFC 3339 text, or undefined when it is none. */
export function parseTime(text: string): number | undefined {
  if (text === ZERO_TIME) return 0;
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 60)
    return undefined;
  const fromMarch = month > 2 ? month - 3 : month + 9;
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * fromMarch + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  const days = era * 146_097 + dayOfEra - 719_468;
  const offset = match[8] === undefined ? 0 : (match[8] === "-" ? -1 : 1) * (Number(match[9]) * 60 + Number(match[10]));
  const seconds = days * 86_400 + hour * 3600 + (minute - offset) * 60 + second;
  return seconds * SECOND + Number((match[7] ?? "").padEnd(9, "0"));
}

function daysIn(month: number, year: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** A Go duration (`1h30m`, `1.5s`, `-2ms`, `0`) in nanoseconds, or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (!/^((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let total = 0;
  for (const [, amount, , unit] of rest.matchAll(/(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS[unit as string] as number);
  }
  return sign * Math.trunc(total);
}

/** A duration as Go prints it: `1h0m0s`, `1.5s`, `20ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 0) return `-${formatDuration(-nanoseconds)}`;
  if (nanoseconds < SECOND) {
    const [unit, size] = nanoseconds < 1e3 ? ["ns", 1] : nanoseconds < MILLISECOND ? ["µs", 1e3] : ["ms", MILLISECOND];
    return `${nanoseconds / (size as number)}${unit}`;
  }
  const hours = Math.floor(nanoseconds / HOUR);
  const minutes = Math.floor((nanoseconds % HOUR) / MINUTE);
  const seconds = `${(nanoseconds % MINUTE) / SECOND}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
