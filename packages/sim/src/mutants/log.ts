// Broken ends of the log.
import type { RegionLog } from "@steppe/log";
import { Entry, SnapshotRecord } from "@steppe/proto";
import { wholeSnapshot } from "../log/snapshots.ts";

/** The real end with some of its methods replaced. */
export function instead(real: RegionLog, replaced: Partial<RegionLog>): RegionLog {
  return {
    identity: real.identity,
    span: (signal) => real.span(signal),
    markAt: (index, signal) => real.markAt(index, signal),
    onBreak: (listener) => real.onBreak(listener),
    payloadMax: real.payloadMax,
    append: (payload, signal) => real.append(payload, signal),
    tail: (after, deliver, ...rest) => real.tail(after, deliver, ...rest),
    lastIndex: (signal) => real.lastIndex(signal),
    firstIndex: (signal) => real.firstIndex(signal),
    truncate: (index) => real.truncate(index),
    saveSnapshot: (index, data) => real.saveSnapshot(index, data),
    loadSnapshot: () => real.loadSnapshot(),
    silenceMs: () => real.silenceMs(),
    close: () => real.close(),
    ...replaced,
  };
}

/** An entry that is sent again carries new request IDs. */
export function renameRetries(real: RegionLog): RegionLog {
  const sent = new WeakSet<Uint8Array>();
  return instead(real, {
    append: (payload, signal) => {
      if (!sent.has(payload)) {
        sent.add(payload);
        return real.append(payload, signal);
      }
      const entry = Entry.decode(payload);
      for (const command of entry.Commands) command.RequestID += "'";
      return real.append(Entry.encode(entry).finish(), signal);
    },
  });
}

/** Snapshots leave out the evaluations. */
export function forgetEvaluations(real: RegionLog): RegionLog {
  return instead(real, {
    saveSnapshot: async (index, data) => real.saveSnapshot(index, withoutEvaluations(await wholeSnapshot(data))),
  });
}

function withoutEvaluations(data: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < data.length; ) {
    const end = at + 4 + view.getUint32(at);
    const record = SnapshotRecord.decode(data.subarray(at + 4, end));
    if (record.Kind?.$case === "End") kept.push(framed({ Kind: { $case: "End", value: { Records: kept.length } } }));
    else if (record.Kind?.$case !== "Evaluation") kept.push(data.slice(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

function framed(record: SnapshotRecord): Uint8Array {
  const body = SnapshotRecord.encode(record).finish();
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

/** Every 200th record reaches this replica empty. */
export function blankRecords(real: RegionLog): RegionLog {
  return instead(real, {
    tail: (after, deliver, ...rest) =>
      real.tail(
        after,
        (records) =>
          deliver(records.map((record) => (record.index % 200 === 0 ? { ...record, payload: BLANK } : record))),
        ...rest,
      ),
  });
}

const BLANK = Entry.encode({ Time: 0, Commands: [] }).finish();
