import { type Clock, FileError, type Logger } from "@steppe/model";
import type { LogRecord, ReplicatedLog } from "../log.ts";
import type { RegionLog } from "../region-log.ts";
import type { Fence } from "../settle/fence.ts";
import type { Journal } from "./journal.ts";

export interface JournaledLogOptions {
  readonly log: RegionLog;
  /** Of the log's identity. */
  readonly journal: Journal;
  /** Of the log; closed with it. */
  readonly fence: Fence;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two attempts to write to a disk that takes nothing. */
const RETRY_MS = 1000;

/**
 * The log as a server with a journal sees it: a record is handed on while it is being written to the journal, with a
 * promise that it is there, durably, and nothing is handed on before all that came before is. Records that the journal
 * has are read from there. While the disk takes no writes, nothing more is handed on: writes wait, and a message says
 * why. While the fence is up, the log is neither read nor written. There may be one reader.
 */
export function journaledLog({ log, journal, fence, clock, logger }: JournaledLogOptions): ReplicatedLog {
  const write = async (records: readonly LogRecord[], signal: AbortSignal, isWanted: () => boolean) => {
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
        if (signal.aborted || !isWanted()) throw error;
      }
    }
  };

  return {
    get payloadMax() {
      return log.payloadMax;
    },
    async append(payload, signal) {
      if (fence.isUp) await fence.beforeAppend(signal);
      return await log.append(payload, signal);
    },
    async tail(after, deliver, signal) {
      for (let next = after + 1; next <= journal.last && !signal.aborted; ) {
        const records = await journal.read(next);
        await deliver(records);
        next += records.length;
      }
      const take = async (records: readonly LogRecord[]) => {
        let failed = false;
        const kept = write(records, signal, () => !failed);
        // Whoever takes them may fail before it asks.
        kept.catch(() => undefined);
        try {
          await deliver(records, kept);
        } catch (error) {
          failed = true;
          throw error;
        } finally {
          // The journal is left when nothing of it is under way.
          await kept.catch(() => undefined);
        }
      };
      while (!signal.aborted) {
        const broken = await fence.pass(signal).catch((error: unknown) => {
          if (signal.aborted) return signal;
          throw error;
        });
        // What came before a break and is not in the journal is read again behind the fence.
        await log.tail(journal.last, take, AbortSignal.any([signal, broken]), journal.lastMark);
      }
    },
    lastIndex: (signal) => fence.question(() => log.lastIndex(signal), signal),
    firstIndex: (signal) => log.firstIndex(signal),
    truncate: (index) => log.truncate(index),
    saveSnapshot: (index, data) => log.saveSnapshot(index, data),
    loadSnapshot: () => log.loadSnapshot(),
    silenceMs: () => log.silenceMs(),
    ...(log.replicas && { replicas: log.replicas.bind(log) }),
    close: async () => {
      fence.close();
      await log.close();
      await journal.close();
    },
  };
}
