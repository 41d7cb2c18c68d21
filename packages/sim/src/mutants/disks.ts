// Servers that do not keep what they acknowledge, or do not see that it was lost.
import { LogGapError, type RegionBus, type RegionLog } from "@steppe/log";
import { REPORTS } from "@steppe/log/internal";
import type { AppendFile, Files } from "@steppe/model";
import { LogReport } from "@steppe/proto";
import type { Life } from "../kernel/life.ts";
import { instead } from "./log.ts";

/** A write is acknowledged before the journal has it durably. */
export function neverSync(real: Files): Files {
  const unsynced = (file: AppendFile): AppendFile => ({
    get size() {
      return file.size;
    },
    append: (bytes) => file.append(bytes),
    sync: async () => undefined,
    close: () => file.close(),
  });
  return {
    ...real,
    create: async (path) => unsynced(await real.create(path)),
    open: async (path) => unsynced(await real.open(path)),
  };
}

/** Of those that find the log lost, each takes itself for the one that holds most. */
export function boast(real: RegionBus): RegionBus {
  return {
    ...real,
    subscribe: (subject, handle, signal) => {
      const belittle = (payload: Uint8Array) =>
        handle(LogReport.encode({ ...LogReport.decode(payload), Last: 1 }).finish());
      real.subscribe(subject, subject === REPORTS ? belittle : handle, signal);
    },
  };
}

/** A log that lost its tail is taken for whole. */
export function overlookLoss(real: RegionLog, life: Life): RegionLog {
  return instead(real, {
    span: async (signal) => {
      const span = await real.span(signal);
      return span && { ...span, last: Number.MAX_SAFE_INTEGER };
    },
    markAt: async () => undefined,
    tail: async (after, deliver, signal) => {
      let at = after;
      while (!signal.aborted) {
        try {
          await real.tail(
            at,
            async (records) => {
              await deliver(records);
              at = records.at(-1)?.index ?? at;
            },
            signal,
          );
        } catch (error) {
          if (!(error instanceof LogGapError)) throw error;
          await life.clock.after(100);
        }
      }
    },
  });
}
