import { encodeRecord, type LogRecord, type ReplicatedLog } from "@steppe/log";

/** Where the entries behind a snapshot are, for whoever makes the next. */
export type EntrySource =
  /** In the journal of this folder, which can be read while this process adds to it. */
  | { readonly kind: "journal"; readonly folder: string }
  /** With this process: from..to as the bytes of a journal. A piece may lie where the next will, so it is used up before that is asked for. */
  | { readonly kind: "pieces"; pieces(from: number, to: number): AsyncIterable<Uint8Array> };

/** What the log itself keeps, of a process that has no copy of it. */
export function sourceOf(log: Pick<ReplicatedLog, "tail">): EntrySource {
  return { kind: "pieces", pieces: (from, to) => tailed(log, from, to) };
}

async function* tailed(log: Pick<ReplicatedLog, "tail">, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let next = from; next <= to; ) {
    const records = (await some(log, next)).filter(({ index }) => index <= to);
    yield Buffer.concat(records.map(encodeRecord));
    next += records.length;
  }
}

async function some(log: Pick<ReplicatedLog, "tail">, from: number): Promise<readonly LogRecord[]> {
  const done = new AbortController();
  const found = Promise.withResolvers<readonly LogRecord[]>();
  const deliver = (records: readonly LogRecord[]) => {
    found.resolve(records);
    done.abort();
  };
  log.tail(from - 1, deliver, done.signal).catch(found.reject);
  return await found.promise;
}
