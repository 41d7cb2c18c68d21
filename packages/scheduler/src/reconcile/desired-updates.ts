import { DesiredUpdates } from "@steppe/proto";
import { STOP } from "../plan/stop-reasons.ts";
import type { GroupChanges, Stop, Wanted } from "./changes.ts";
import { present } from "./disconnect.ts";
import type { Sorted } from "./group.ts";

type Counted = Omit<GroupChanges, "desired" | "complete">;

/**
 * How many allocations of a group each kind of change concerns. What is wanted counts, whether or
 * not it finds a place: placed rows and what waits for room are together Place, Migrate, Canary and DestructiveUpdate.
 */
export function desiredUpdates(changes: Counted, sorted: readonly Sorted[]): DesiredUpdates {
  const { stops, inPlace, staying, wanted, later, disconnects, reconnects } = changes;
  const leaving = new Set(stops.filter(({ reason }) => reason === STOP.migrating).map(({ allocation }) => allocation));
  const destructive = wanted.filter(isUpdate).length;
  const canaries = wanted.filter((it) => it.canary === true && !(it.previous && leaving.has(it.previous))).length;
  return DesiredUpdates.create({
    Ignore: staying.length - inPlace.length + sorted.reduce((sum, it) => sum + settled(it), 0),
    Place: wanted.length - destructive - canaries - leaving.size,
    Migrate: leaving.size,
    Stop: stops.length - leaving.size,
    InPlaceUpdate: inPlace.length,
    DestructiveUpdate: destructive,
    Canary: canaries,
    Disconnect: disconnects.length,
    Reconnect: reconnects.length,
    RescheduleNow: wanted.filter(({ stop }) => stop?.reason === STOP.rescheduled).length,
    RescheduleLater: later.length,
  });
}

/** Of a group that the job no longer has. */
export function onlyStops(stops: readonly Stop[]): DesiredUpdates {
  return DesiredUpdates.create({ Stop: stops.length });
}

const isUpdate = ({ stop }: Wanted): boolean => stop?.reason === STOP.updating;

/** So many are counted, and nothing is done about them. */
const settled = (sorted: Sorted): number => present(sorted).length - sorted.keep.length - sorted.migrate.length;
