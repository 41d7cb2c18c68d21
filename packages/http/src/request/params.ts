import { SteppeError } from "@steppe/model";

/** Query parameters. Of a repeated one the first counts. */
export type Params = Readonly<Record<string, string | undefined>>;

const NONE: Params = Object.freeze(Object.create(null));

/** Reads a query string as Go's net/url does: `+` is a space, and a pair that does not decode is dropped. */
export function parseParams(text: string): Params {
  if (text === "") return NONE;
  const params: Record<string, string> = Object.create(null);
  for (const [name, value] of pairsOf(text)) if (params[name] === undefined) params[name] = value;
  return params;
}

/** All values of a parameter that may be repeated. `url` is the request's, query string included. */
export function allValues(url: string, name: string): string[] {
  const mark = url.indexOf("?");
  if (mark < 0) return [];
  return [...pairsOf(url.slice(mark + 1))].filter(([it]) => it === name).map(([, value]) => value);
}

function* pairsOf(text: string): Generator<readonly [name: string, value: string]> {
  for (const pair of text.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
    if (name !== undefined && value !== undefined) yield [name, value];
  }
}

function decode(text: string): string | undefined {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}

/** The spellings Go's strconv.ParseBool takes; undefined for any other. */
export function parseBool(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

/** A bool parameter of a write. Absent or empty is false; the API answers 500 to a bad one. */
export function boolParam(params: Params, name: string): boolean {
  const text = params[name] ?? "";
  if (text === "") return false;
  const value = parseBool(text);
  if (value !== undefined) return value;
  const cause = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("refused", `Failed to parse value of "${name}" (${text}) as a bool: ${cause}`);
}

/** An integer parameter of a write. Absent or empty is 0; the API answers 500 to a bad one. */
export function intParam(params: Params, name: string): number {
  const text = params[name] ?? "";
  if (text === "") return 0;
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  const reason = Number.isNaN(value) ? "invalid syntax" : "value out of range";
  const cause = `strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`;
  throw new SteppeError("refused", `Failed to parse value of "${name}" (${text}) as a int: ${cause}`);
}
