/**
 * What clients did and what they were told, as the checkers read it: one record an operation.
 *
 * On disk a history is JSON lines, one record a line, in any order:
 *
 *     {"client":"c1","key":"eu/web","call":{"op":"register","mark":"c1-7"},"start":1021.5,"end":1030.2,"outcome":"ok","result":{"applied":true,"index":14}}
 *     {"client":"c2","key":"eu/web","call":{"op":"read"},"start":1022,"outcome":"unknown"}
 *
 * - `client`: who called. A client waits for one answer before its next call, so its operations do not overlap.
 * - `key`: the object. Objects are judged one by one, so a call must concern exactly one.
 * - `start`, `end`: when the call began and when its answer was there, on one clock for the whole history, in any unit.
 * - `outcome`: "ok" with a `result`; "failed", when the call is known to have had no effect and never to have one
 *   (HTTP 503 "No cluster leader", connection refused); "unknown" for everything else (time-out, 504, cut connection),
 *   then it may take effect at any time after `start`, or never. A refusal by a rule is "ok" with a result that tells it.
 */
export interface Operation<Call, Result> {
  readonly client: string;
  readonly key: string;
  readonly call: Call;
  readonly start: number;
  /** Not needed for "unknown". */
  readonly end?: number;
  readonly outcome: "ok" | "failed" | "unknown";
  /** Of an operation that is "ok". */
  readonly result?: Result;
}

export function formatHistory(history: readonly Operation<unknown, unknown>[]): string {
  return history.map((operation) => `${JSON.stringify(operation)}\n`).join("");
}

/** Throws with the number of the first line that is not an operation. */
export function parseHistory<Call, Result>(text: string): Operation<Call, Result>[] {
  return text.split("\n").flatMap((line, n) => (line.trim() === "" ? [] : [parseLine<Call, Result>(line, n + 1)]));
}

function parseLine<Call, Result>(line: string, number: number): Operation<Call, Result> {
  let record: Partial<Operation<Call, Result>> | null;
  try {
    record = JSON.parse(line);
  } catch (error) {
    throw new Error(`line ${number} of the history is not JSON`, { cause: error });
  }
  const fault = faultOf(record ?? {});
  if (fault !== undefined) throw new Error(`line ${number} of the history ${fault}`);
  return record as Operation<Call, Result>;
}

function faultOf({ client, key, call, start, end, outcome, result }: Partial<Operation<unknown, unknown>>) {
  if (typeof client !== "string" || typeof key !== "string") return "has no client or no key";
  if (call === undefined) return "has no call";
  if (typeof start !== "number") return "has no start";
  if (outcome === "unknown") return undefined;
  if (outcome !== "ok" && outcome !== "failed") return `has the outcome ${JSON.stringify(outcome)}`;
  if (typeof end !== "number" || end < start) return "has no end, or one before its start";
  if (outcome === "ok" && result === undefined) return "has no result";
  return undefined;
}
