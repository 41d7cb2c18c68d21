// What the other servers of a region hold, asked of all of them at once.
import type { Clock, Logger } from "@steppe/model";
import { LogReport } from "@steppe/proto";
import type { RegionBus } from "../bus.ts";
import type { Position, Report } from "./decide.ts";

/** Asks all that hear it to say what they hold. */
const QUESTION = "log.held.asked";
/** Where they say it. */
const ANSWERS = "log.held";

/** How long those that do not answer are waited for: a region goes on without a server that is gone. */
export const HEAR_MAX_MS = 1000;
/**
 * How long one is waited for whose process nobody reaches: it may be settling, when it serves nothing, and then
 * answers on the bus.
 */
const UNREACHED_MAX_MS = 300;
/** A server that was not connected to the bus yet did not hear the question. */
const ASK_AGAIN_MS = 100;

export interface KnownServers {
  /** Dead or alive, those that left excepted. */
  readonly names: readonly string[];
  /** There may be more that this server does not know yet. */
  readonly mayBeMore: boolean;
}

/** The other servers of the region, as this one reaches them without the region's log or bus. */
export interface OtherServers {
  known(): KnownServers;
  /** What one holds. Rejects when it cannot be reached. */
  held(name: string, signal: AbortSignal): Promise<Report>;
}

export const NO_OTHERS: OtherServers = {
  known: () => ({ names: [], mayBeMore: true }),
  held: (name) => Promise.reject(new Error(`no way to reach ${name}`)),
};

export interface HearNeeds {
  /** Of this server. */
  readonly name: string;
  /** How many servers the region has, this one included; undefined when it was not configured. */
  readonly quorum: number | undefined;
  readonly bus: RegionBus;
  readonly clock: Clock;
  readonly others: OtherServers;
}

export interface Hearing {
  readonly waitedMs: number;
  readonly known: KnownServers;
  readonly quorum: number | undefined;
  readonly heard: ReadonlySet<string>;
  /** Those that could not be asked directly. */
  readonly unreached: ReadonlySet<string>;
}

/** Pure: whether nobody is left to be waited for. */
export function heardEnough({ waitedMs, known, quorum, heard, unreached }: Hearing): boolean {
  if (waitedMs >= HEAR_MAX_MS) return true;
  if (known.mayBeMore) return quorum !== undefined && heard.size >= quorum - 1;
  const silent = known.names.filter((name) => !heard.has(name));
  return silent.every((name) => waitedMs >= UNREACHED_MAX_MS && unreached.has(name));
}

/** Why the wait ends. One for all: the default reason is a new exception with its stack trace. */
const HEARD = new Error("heard");

/** Resolves with what those say that answer in time. Rejects when the signal aborts. */
export async function hearOthers(needs: HearNeeds, signal: AbortSignal): Promise<Report[]> {
  const { name, quorum, bus, clock, others } = needs;
  const reports = new Map<string, Report>();
  const unreached = new Set<string>();
  const startedMs = clock.monotonicMs();
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const look = () => {
    const waitedMs = clock.monotonicMs() - startedMs;
    const heard = new Set(reports.keys());
    if (heardEnough({ waitedMs, known: others.known(), quorum, heard, unreached })) over.abort(HEARD);
  };
  const hear = (report: Report) => {
    if (report.name === name || stop.aborted) return;
    reports.set(report.name, report);
    look();
  };
  bus.subscribe(ANSWERS, (payload) => hear(decodeReport(payload)), stop);
  /** Those that are asked directly now. */
  const asking = new Set<string>();
  const ask = (other: string) => {
    asking.add(other);
    unreached.delete(other);
    others.held(other, stop).then(hear, () => {
      asking.delete(other);
      unreached.add(other);
      if (!stop.aborted) look();
    });
  };
  for (look(); !stop.aborted; look()) {
    bus.publish(QUESTION, new Uint8Array(0));
    // Again after a failure, too: a connection that had ended while this process stood still is noticed by its use.
    for (const other of others.known().names) if (!reports.has(other) && !asking.has(other)) ask(other);
    await clock.after(ASK_AGAIN_MS, stop).catch(() => undefined);
  }
  signal.throwIfAborted();
  return [...reports.values()];
}

/** Says what this server holds to whoever asks, until the signal aborts. */
export function answerOthers(
  { bus, logger }: { readonly bus: RegionBus; readonly logger: Logger },
  held: () => Promise<Report>,
  signal: AbortSignal,
): void {
  const answer = async () => {
    const report = await held();
    if (!signal.aborted) bus.publish(ANSWERS, encodeReport(report));
  };
  const failed = (err: unknown) => logger.debug({ err }, "cannot say what this server holds now");
  bus.subscribe(QUESTION, () => void answer().catch(failed), signal);
}

export function encodeReport(report: Report): Uint8Array {
  return LogReport.encode(reportMessage(report)).finish();
}

export function decodeReport(payload: Uint8Array): Report {
  return reportOf(LogReport.decode(payload));
}

export function reportMessage({ name, position }: Report): LogReport {
  const { identity, last, mark } = position;
  return {
    Name: name,
    Holds: identity !== undefined,
    Epoch: identity?.epoch ?? 0,
    ID: identity?.id ?? "",
    Base: identity?.base ?? 0,
    Last: last,
    LastCRC: mark?.crc,
  };
}

export function reportOf({ Name, Holds, Epoch, ID, Base, Last, LastCRC }: LogReport): Report {
  return {
    name: Name,
    position: {
      identity: Holds ? { epoch: Epoch, id: ID, base: Base } : undefined,
      last: Last,
      mark: LastCRC === undefined ? undefined : { index: Last, crc: LastCRC },
    },
  };
}

/** What a server that holds nothing says. */
export const NOTHING_HELD: Position = { identity: undefined, last: 0, mark: undefined };
