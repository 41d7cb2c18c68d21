import { DesiredUpdates } from "@steppe/proto";
import type { GroupChanges, Stop, Wanted } from "../reconcile/changes.ts";
import { STOP } from "./stop-reasons.ts";

/**
 * How many allocations of a group each kind of change concerns. What is wanted counts, whether or
 * not it finds a place: placed rows and what waits for room are together Place, Migrate and DestructiveUpdate.
 */
export function desiredUpdates(changes: GroupChanges): DesiredUpdates {
  const { staying, inPlace, stops, wanted, settled, later, disconnects, reconnects } = changes;
  const destructive = wanted.filter(isUpdate).length;
  const migrations = stops.filter(({ reason }) => reason === STOP.migrating).length;
  return DesiredUpdates.create({
    Ignore: staying.length - inPlace.length + settled,
    Place: wanted.length - destructive - migrations,
    Migrate: migrations,
    Stop: stops.length - migrations,
    InPlaceUpdate: inPlace.length,
    DestructiveUpdate: destructive,
    Disconnect: disconnects.length,
    Reconnect: reconnects.length,
    RescheduleNow: wanted.filter(({ stop }) => stop?.reason === STOP.rescheduled).length,
    RescheduleLater: later.length,
  });
}

/** Of a group that the job no longer has. */
export function dismissedUpdates(stops: readonly Stop[]): DesiredUpdates {
  return DesiredUpdates.create({ Stop: stops.length });
}

const isUpdate = ({ stop }: Wanted): boolean => stop?.reason === STOP.updating;
