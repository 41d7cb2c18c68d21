// What this server knows of all servers of all regions. Pure: time is passed in, in milliseconds
// of a monotonic clock.
//
// 1. A newer incarnation (start of the process) replaces an older one, whatever either says.
// 2. Within an incarnation the higher heartbeat wins, and "left" is final.
// 3. Nobody's word makes a server alive or failed: seeing its heartbeat move does, or not seeing it.
// 4. A server whose connection failed is suspect, which counts as not alive, until its heartbeat
//    moves or it answers.
// 5. Nobody but a server itself speaks for it: hearing of its own death or of a later life, it takes
//    a newer incarnation.
// 6. The dead are shown for `reapAfterMs` and remembered unseen for as long again, so that another
//    server's list does not bring them back.
import type { Member } from "@steppe/proto";
import { joinAddress } from "./address.ts";

export const ALIVE = "alive";
export const FAILED = "failed";
export const LEFT = "left";

export interface RegionServer {
  readonly name: string;
  /** `host:port` of its gRPC. */
  readonly address: string;
  readonly alive: boolean;
}

export interface Directory {
  /** This server's own record, first in every list. */
  self(): Member;
  /** Moves the own heartbeat; about once a second. */
  beat(): void;
  /** Marks this server as left, for good. */
  leave(): void;
  /** Takes in what another server, or the region's NATS, says. */
  merge(members: readonly Member[], nowMs: number): void;
  /**
   * An operator says that a server that is not alive will not come back: it has left. With `prune` it is not even
   * shown. One that lives, or is unknown, is left alone.
   */
  forceLeave(name: string, prune: boolean, nowMs: number): void;
  /** A direct connection to it failed. */
  suspect(name: string): void;
  /** It answered directly. */
  heard(name: string, nowMs: number): void;
  /** All members as judged here, the own record first, then by name. */
  members(nowMs: number): Member[];
  /** Sorted names of regions with at least one live server, the own included. */
  regions(nowMs: number): string[];
  /** Some server of that region is remembered, dead or alive. */
  knows(region: string, nowMs: number): boolean;
  /** In order of preference: live ones, then suspects. The rest is not worth trying. */
  servers(region: string, nowMs: number): RegionServer[];
  /** Those not alive that may come back: worth a probe. */
  missing(region: string, nowMs: number): RegionServer[];
}

export interface DirectoryOptions {
  readonly self: Member;
  /** A heartbeat that stands still for this long: failed. Default 5 s. */
  readonly failAfterMs?: number;
  /** Default 72 h, as operators of Nomad know it. */
  readonly reapAfterMs?: number;
}

interface Entry {
  member: Member;
  readonly address: string;
  /** When its heartbeat last moved, as seen here; -Infinity: never. */
  movedMs: number;
  /** When it was first seen to be gone; for reaping. */
  goneMs: number;
  suspect: boolean;
}

/** The smallest step that a double still shows at today's nanoseconds is 256. */
const INCARNATION_STEP_NS = 1024;

export function createDirectory(options: DirectoryOptions): Directory {
  const { failAfterMs = 5_000, reapAfterMs = 72 * 3_600_000 } = options;
  let self: Member = { ...options.self, Status: ALIVE };
  const entries = new Map<string, Entry>();

  const alive = (entry: Entry, nowMs: number) =>
    entry.member.Status !== LEFT && !entry.suspect && nowMs - entry.movedMs < failAfterMs;
  const status = (entry: Entry, nowMs: number) =>
    entry.member.Status === LEFT ? LEFT : alive(entry, nowMs) ? ALIVE : FAILED;
  const goneForMs = (entry: Entry, nowMs: number) =>
    alive(entry, nowMs) ? 0 : nowMs - Math.max(entry.goneMs, entry.movedMs);
  const shown = (entry: Entry, nowMs: number) => goneForMs(entry, nowMs) < reapAfterMs;

  function mergeSelf(member: Member): void {
    const outlived = member.Incarnation > self.Incarnation;
    const buried = member.Incarnation === self.Incarnation && member.Status === LEFT && self.Status !== LEFT;
    const ahead = member.Incarnation === self.Incarnation && member.Heartbeat > self.Heartbeat;
    if (outlived || buried || ahead) self = { ...self, Incarnation: member.Incarnation + INCARNATION_STEP_NS };
  }

  function mergeOther(member: Member, nowMs: number): void {
    const known = entries.get(member.Name);
    const newer = known === undefined || member.Incarnation > known.member.Incarnation;
    if (!newer && member.Incarnation < known.member.Incarnation) return;
    const moved = member.Status === ALIVE && (newer || member.Heartbeat > known.member.Heartbeat);
    if (newer) {
      const movedMs = moved ? nowMs : Number.NEGATIVE_INFINITY;
      const address = joinAddress(member.Address, member.GrpcPort);
      entries.set(member.Name, { member, address, movedMs, goneMs: nowMs, suspect: false });
      return;
    }
    if (known.member.Status === LEFT) return;
    if (member.Status === LEFT) known.goneMs = nowMs;
    else if (member.Heartbeat <= known.member.Heartbeat) return;
    known.member = member;
    if (moved) {
      known.movedMs = nowMs;
      known.suspect = false;
    }
  }

  function forget(nowMs: number): void {
    for (const [name, entry] of entries) if (goneForMs(entry, nowMs) >= 2 * reapAfterMs) entries.delete(name);
  }

  function* of(region: string, nowMs: number): Generator<Entry> {
    for (const entry of entries.values()) if (entry.member.Region === region && shown(entry, nowMs)) yield entry;
  }

  const asServer = (entry: Entry, nowMs: number): RegionServer => ({
    name: entry.member.Name,
    address: entry.address,
    alive: alive(entry, nowMs),
  });

  return {
    self: () => self,
    beat() {
      self = { ...self, Heartbeat: self.Heartbeat + 1 };
    },
    leave() {
      self = { ...self, Status: LEFT, Heartbeat: self.Heartbeat + 1 };
    },
    merge(members, nowMs) {
      for (const member of members) {
        if (member.Name === self.Name) mergeSelf(member);
        else mergeOther(member, nowMs);
      }
      forget(nowMs);
    },
    forceLeave(name, prune, nowMs) {
      const entry = entries.get(name);
      if (entry === undefined || alive(entry, nowMs)) return;
      entry.member = { ...entry.member, Status: LEFT };
      // Hidden, yet remembered for a while, so that another server's list does not bring it back.
      entry.goneMs = prune ? nowMs - reapAfterMs : nowMs;
      if (prune) entry.movedMs = Number.NEGATIVE_INFINITY;
    },
    suspect(name) {
      const entry = entries.get(name);
      if (entry !== undefined) entry.suspect = true;
    },
    heard(name, nowMs) {
      const entry = entries.get(name);
      if (entry === undefined || entry.member.Status === LEFT) return;
      entry.suspect = false;
      entry.movedMs = nowMs;
    },
    members(nowMs) {
      const others = [...entries.values()].filter((entry) => shown(entry, nowMs));
      others.sort((a, b) => (a.member.Name < b.member.Name ? -1 : 1));
      return [self, ...others.map((entry) => ({ ...entry.member, Status: status(entry, nowMs) }))];
    },
    regions(nowMs) {
      const names = new Set([self.Region]);
      for (const entry of entries.values()) if (alive(entry, nowMs)) names.add(entry.member.Region);
      return [...names].sort();
    },
    knows: (region, nowMs) => region === self.Region || !of(region, nowMs).next().done,
    servers(region, nowMs) {
      const live: RegionServer[] = [];
      const suspects: RegionServer[] = [];
      if (region === self.Region && self.Status !== LEFT) {
        live.push({ name: self.Name, address: joinAddress(self.Address, self.GrpcPort), alive: true });
      }
      for (const entry of of(region, nowMs)) {
        if (alive(entry, nowMs)) live.push(asServer(entry, nowMs));
        else if (entry.suspect && status(entry, nowMs) !== LEFT) suspects.push(asServer(entry, nowMs));
      }
      return [...live, ...suspects];
    },
    missing(region, nowMs) {
      const gone = [...of(region, nowMs)].filter((entry) => status(entry, nowMs) === FAILED);
      return gone.map((entry) => asServer(entry, nowMs));
    },
  };
}
