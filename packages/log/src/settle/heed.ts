import type { Logger } from "@steppe/model";
import type { RegionBus } from "../bus.ts";
import { sameLog } from "../identity.ts";
import type { Journal } from "../journal/journal.ts";
import { LogGapError } from "../log.ts";
import type { RegionLog } from "../region-log.ts";
import type { Report } from "./decide.ts";
import { decodeReport } from "./others.ts";
import { REPORTS } from "./settle.ts";

export interface HeedNeeds {
  /** Of this server. */
  readonly name: string;
  readonly bus: RegionBus;
  readonly log: Pick<RegionLog, "span">;
  readonly journal: Journal;
  readonly logger: Logger;
}

/**
 * A server that follows the log listens to those that found it lost: what they hold may be missing
 * from the log without this one having noticed. Calls `onLost` once it has seen for itself.
 */
export function heedReports(needs: HeedNeeds, onLost: (error: LogGapError) => void, signal: AbortSignal): void {
  const { name, bus, logger } = needs;
  const hear = async (payload: Uint8Array) => {
    const report = decodeReport(payload);
    if (report.name === name) return;
    const why = await contradiction(report, needs);
    if (why === undefined || signal.aborted) return;
    onLost(new LogGapError(`${report.name} holds record ${report.position.last}, ${why}`, report));
  };
  bus.subscribe(
    REPORTS,
    (payload) => void hear(payload).catch((err: unknown) => logger.debug({ err }, "cannot look into a report now")),
    signal,
  );
}

async function contradiction({ position }: Report, { log, journal }: HeedNeeds): Promise<string | undefined> {
  const { identity, last, mark } = position;
  if (identity === undefined || journal.identity === undefined || !sameLog(identity, journal.identity))
    return undefined;
  if (last > journal.last) {
    return last > ((await log.span())?.last ?? 0) ? "which the log does not have" : undefined;
  }
  if (mark === undefined || last < journal.first) return undefined;
  return (await journal.markAt(last))?.crc === mark.crc ? undefined : "and this server another one";
}
