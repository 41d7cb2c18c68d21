/**
 * A region's log comes back without what it had acknowledged. Servers promise to notice, and to rebuild it from the
 * journal that goes furthest; docs/durability.md says what they do not promise, and only that is kept from happening.
 */
import type { LogIdentity } from "@steppe/log";
import type { Backup } from "../log/store.ts";
import type { ServerMachine } from "../world/machine.ts";
import type { Region, World } from "../world/world.ts";

export type HowLost =
  /** Of its newest records, some. */
  | "tail"
  /** It was made again, empty. */
  | "emptied"
  /** All that its cluster had. */
  | "gone"
  /** All that came since a backup. */
  | "restored";

export interface LogLoss {
  readonly kind: "log-loss";
  readonly region: string;
  readonly how: HowLost;
  /** How much of the log, or of the time before, from 0 to 1. */
  readonly share: number;
}

/** How far a log that comes back goes. */
interface Left {
  readonly identity: LogIdentity;
  readonly last: number;
}

/**
 * Loses it now. Undefined when nothing could be lost without leaving what is promised; else what was. A server that is
 * behind what is left finds nothing wrong by itself and asks the others: `mayBeAsked` says that those answer.
 */
export function loseLog(
  region: Region,
  { how, share }: LogLoss,
  backup: Backup | undefined,
  mayBeAsked: (holders: readonly ServerMachine[]) => boolean,
): string | undefined {
  const { logs, servers } = region;
  const { newest } = logs;
  if (newest === undefined || newest.sealed || logs.isLost || servers.some(({ held }) => held === undefined))
    return undefined;
  const { identity, firstIndex, lastIndex } = newest;
  const isNoticed = (left: Left | undefined) => {
    const holders = servers.filter((server) => notices(server, left));
    return holders.length === servers.length || (holders.length > 0 && mayBeAsked(holders));
  };
  if (how === "tail") {
    const held = servers.map((server) => heldOf(server, identity));
    const tries = [Math.max(...held), Math.min(...held)].map((end) =>
      Math.floor(Math.min(end, lastIndex) - 1 - share ** 3 * (end - firstIndex)),
    );
    const kept = tries.find((last) => last >= firstIndex && isNoticed({ identity, last }));
    if (kept === undefined) return undefined;
    logs.loseTail(kept);
    return `records ${kept + 1} to ${lastIndex}`;
  }
  if (how === "restored") {
    const old = backup?.streams.at(-1);
    if (backup === undefined || old === undefined || old.sealed) return undefined;
    if (!isNoticed({ identity: old.identity, last: old.lastIndex })) return undefined;
    logs.restore(backup);
    return `all since entry ${old.lastIndex} of log ${old.identity.epoch}`;
  }
  if (!isNoticed(how === "gone" ? undefined : { identity, last: identity.base })) return undefined;
  if (how === "gone") logs.restore({ streams: [], snapshots: new Map() });
  else logs.loseRecords();
  return `records ${firstIndex} to ${lastIndex}, and all snapshots`;
}

/** Whether a server's disk may be lost: not while it may be the only one that holds what the log lost. */
export function mayLoseDisk({ logs }: Region): boolean {
  return !logs.isLost && !logs.isDown;
}

/** Backups for those that are to be restored, taken when their time comes. */
export function scheduleBackups(world: World, losses: readonly (LogLoss & { readonly atMs: number })[]) {
  const backups = new Map<LogLoss, Backup>();
  for (const loss of losses.filter(({ how }) => how === "restored")) {
    const region = world.regions.find(({ name }) => name === loss.region);
    world.kernel.at(loss.atMs * (1 - loss.share), `${loss.region}-nats backup`, () => {
      if (region !== undefined) backups.set(loss, region.logs.backup());
    });
  }
  return backups;
}

function heldOf({ held }: ServerMachine, { epoch }: LogIdentity): number {
  return held?.epoch === epoch ? held.index : 0;
}

/** That it holds what is left of the log has not, as `judge` of settle/decide.ts says. */
function notices({ held }: ServerMachine, left: Left | undefined): boolean {
  if (held === undefined) return false;
  if (left === undefined || held.epoch > left.identity.epoch) return true;
  return held.epoch === left.identity.epoch && held.index > left.last;
}
