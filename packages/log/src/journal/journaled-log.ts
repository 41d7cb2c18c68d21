import { type Clock, FileError, type Logger } from "@steppe/model";
import type { LogRecord, ReplicatedLog } from "../log.ts";
import type { Journal } from "./journal.ts";

export interface JournaledLogOptions {
  readonly log: ReplicatedLog;
  /** Of the log's identity. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two attempts to write to a disk that takes nothing. */
const RETRY_MS = 1000;

/**
 * The log as a server with a journal reads it: a record is handed on when it is in the journal,
 * durably, and records that the journal has are read from there. While the disk takes no writes,
 * nothing is handed on: the replica stays as it is, writes wait, and a message says why.
 */
export function journaledLog({ log, journal, clock, logger }: JournaledLogOptions): ReplicatedLog {
  const write = async (records: readonly LogRecord[], signal: AbortSignal) => {
    for (;;) {
      try {
        await journal.repair();
        await journal.append(records);
        return;
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        logger.error(
          { err: error, index: records[0]?.index },
          "the journal takes no records: no write is acknowledged",
        );
        await clock.after(RETRY_MS, signal).catch(() => undefined);
        if (signal.aborted) throw error;
      }
    }
  };

  return {
    get payloadMax() {
      return log.payloadMax;
    },
    append: (payload, signal) => log.append(payload, signal),
    async tail(after, deliver, signal) {
      for (let next = after + 1; next <= journal.last && !signal.aborted; ) {
        const records = await journal.read(next);
        await deliver(records);
        next += records.length;
      }
      if (signal.aborted) return;
      const take = async (records: readonly LogRecord[]) => {
        await write(records, signal);
        await deliver(records);
      };
      await log.tail(journal.last, take, signal, journal.lastMark);
    },
    lastIndex: (signal) => log.lastIndex(signal),
    firstIndex: (signal) => log.firstIndex(signal),
    truncate: (index) => log.truncate(index),
    saveSnapshot: (index, data) => log.saveSnapshot(index, data),
    loadSnapshot: () => log.loadSnapshot(),
    silenceMs: () => log.silenceMs(),
    ...(log.replicas && { replicas: log.replicas.bind(log) }),
    close: async () => {
      await log.close();
      await journal.close();
    },
  };
}
