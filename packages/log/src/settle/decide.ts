// Pure: what a server's own copy and the region's log say about each other, and who rebuilds.
import type { LogIdentity, RecordMark } from "../identity.ts";
import { sameLog } from "../identity.ts";

/** What a server holds durably by itself: snapshot and journal. */
export interface Position {
  /** Undefined when it holds nothing. */
  readonly identity: LogIdentity | undefined;
  /** Index of the last entry in it. */
  readonly last: number;
  /** That entry; undefined when only a snapshot holds it. */
  readonly mark: RecordMark | undefined;
}

/** The region's log of the largest epoch that takes records. */
export interface LogSight {
  readonly identity: LogIdentity;
  readonly first: number;
  readonly last: number;
  /** Its record at the position's last index, when it has it. */
  readonly mark: RecordMark | undefined;
}

export type Verdict =
  /** The log goes on from what is held here. */
  | { readonly kind: "follow" }
  /** The region rebuilt its log. `orphans`: entries held here that it has not. */
  | { readonly kind: "adopt"; readonly orphans: number }
  /** The log does not hold what was applied here. */
  | { readonly kind: "lost"; readonly why: string }
  /** There is no log, and nothing here that would be in one. */
  | { readonly kind: "new" };

/** `who`: whose position it is, for the text. */
export function judge(own: Position, log: LogSight | undefined, who = "this server"): Verdict {
  if (own.identity === undefined) return log === undefined ? { kind: "new" } : { kind: "follow" };
  if (log === undefined) return lost("the region's log is gone");
  const { identity } = log;
  if (identity.epoch > own.identity.epoch) {
    return { kind: "adopt", orphans: Math.max(0, own.last - identity.base) };
  }
  if (identity.epoch < own.identity.epoch) {
    return lost(`the log there is of epoch ${identity.epoch}; ${who} followed one of epoch ${own.identity.epoch}`);
  }
  if (!sameLog(identity, own.identity)) return lost(`the log there is another one than ${who} followed`);
  if (log.last < own.last) return lost(`the log ends at ${log.last}; ${who} applied ${own.last}`);
  if (own.mark !== undefined && log.mark !== undefined && own.mark.crc !== log.mark.crc) {
    return lost(`the log holds another record ${own.last} than ${who} applied`);
  }
  return { kind: "follow" };
}

function lost(why: string): Verdict {
  return { kind: "lost", why };
}

/** What a server that finds the log lost, or absent, tells the others. */
export interface Report {
  readonly name: string;
  readonly position: Position;
}

/**
 * Who rebuilds the log: the one whose copy goes furthest; of equals the first by name. All who have
 * the same reports say the same.
 */
export function mostAdvanced(reports: readonly Report[]): Report | undefined {
  return reports.toSorted(
    (a, b) =>
      (b.position.identity?.epoch ?? -1) - (a.position.identity?.epoch ?? -1) ||
      b.position.last - a.position.last ||
      (a.name < b.name ? -1 : 1),
  )[0];
}

export type Move =
  /** Make the region's first log. */
  | { readonly kind: "create" }
  | { readonly kind: "rebuild" }
  /** `why`: for whom it waits. `operator`: nobody but an operator can end it. */
  | { readonly kind: "wait"; readonly why: string; readonly operator: boolean };

/**
 * What a server does that cannot follow the log. `others`: those that take part. `known`: what servers were heard to
 * hold, whether or not they take part now. `quorum`: how many servers must take part before the log is made or
 * rebuilt without an operator; undefined when it was not configured.
 */
export function nextMove(
  own: Report,
  others: readonly Report[],
  quorum: number | undefined,
  asked: boolean,
  known: readonly Report[] = [],
): Move {
  const all = [own, ...others];
  const holders = all.filter(({ position }) => position.identity !== undefined);
  if (asked) return { kind: "rebuild" };
  if (own.position.identity === undefined && holders.length === 0) {
    if (all.length < (quorum ?? 1)) {
      return wait(`${all.length} of ${quorum} servers are there to make the region's log (server.bootstrap_expect)`);
    }
    return all.every(({ name }) => own.name <= name) ? { kind: "create" } : wait("another server makes the log");
  }
  if (quorum === undefined) {
    const how = "set server.bootstrap_expect to the number of the region's servers";
    return wait(`how many servers must agree on a rebuild is not configured: ${how}`, true);
  }
  if (holders.length < quorum) {
    return wait(`${holders.length} of ${quorum} servers (server.bootstrap_expect) have brought their journals`, true);
  }
  const absent = known.filter(({ name }) => !all.some((it) => it.name === name));
  const best = mostAdvanced([...holders, ...absent]);
  if (best !== undefined && absent.includes(best)) {
    return wait(`${best.name} was heard to hold ${best.position.last}, more than those that are there`, true);
  }
  return best?.name === own.name ? { kind: "rebuild" } : wait(`${best?.name} rebuilds the log`);
}

function wait(why: string, operator = false): Move {
  return { kind: "wait", why, operator };
}
