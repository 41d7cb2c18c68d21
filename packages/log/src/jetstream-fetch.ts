import { markOf, type RecordMark } from "./identity.ts";
import { ERR, JetStreamRefusal, parse } from "./jetstream-api.ts";
import { LogGapError, type LogRecord } from "./log.ts";
import type { NatsRequests } from "./nats-requests.ts";

export interface FetchContext {
  readonly requests: Pick<NatsRequests, "request">;
  readonly stream: string;
  readonly base: number;
  readonly requestTimeoutMs: number;
}

/** Records fetched in a row, one request each. */
const FETCH_MAX = 256;

/**
 * Records from index `from` to `last`, or the first of them, one by one from the stream's leader. For the time when
 * no consumer can be made: those are made by the cluster's own leader, who may be elected seconds after the
 * stream's. Throws `LogGapError` when the log holds another record than `mark`.
 */
export async function fetchRecords(
  context: FetchContext,
  from: number,
  last: number,
  mark: RecordMark | undefined,
  signal: AbortSignal,
): Promise<LogRecord[]> {
  if (last < from) return [];
  if (mark !== undefined) {
    const seen = await fetchRecord(context, mark.index, signal);
    if (seen === undefined) return [];
    if (markOf(seen).crc !== mark.crc)
      throw new LogGapError(`the log holds another record ${mark.index} than the one applied here`);
  }
  const records: LogRecord[] = [];
  for (let index = from; index <= last && records.length < FETCH_MAX; index++) {
    const record = await fetchRecord(context, index, signal);
    if (record === undefined) break;
    records.push(record);
  }
  return records;
}

/** Undefined when the leader does not have it (yet). */
export async function fetchRecord(
  { requests, stream, base, requestTimeoutMs }: FetchContext,
  index: number,
  signal?: AbortSignal,
): Promise<LogRecord | undefined> {
  const body = new TextEncoder().encode(JSON.stringify({ seq: index - base }));
  const answer = await requests.request(`$JS.API.STREAM.MSG.GET.${stream}`, body, requestTimeoutMs, signal);
  try {
    const { message } = parse<{ message: { seq: number; data?: string } }>(answer);
    return { index: base + message.seq, payload: new Uint8Array(Buffer.from(message.data ?? "", "base64")) };
  } catch (error) {
    if (error instanceof JetStreamRefusal && error.code === ERR.noMessageFound) return undefined;
    throw error;
  }
}
