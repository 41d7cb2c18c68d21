import { DesiredUpdates } from "@steppe/proto";
import { bringsRoom, type GroupChanges, type Stop } from "./changes.ts";
import type { Sorted } from "./group.ts";

type Counted = Pick<GroupChanges, "stops" | "inPlace" | "staying" | "wanted" | "later">;

/** The counts that a dry run shows for a group; each allocation is in one of them, reschedules in a second. */
export function desiredUpdates(changes: Counted, { migrate, replace }: Sorted): DesiredUpdates {
  const { stops, inPlace, staying, wanted, later } = changes;
  const destructive = wanted.filter(bringsRoom).length;
  const canaries = wanted.filter(({ canary }) => canary).length;
  return DesiredUpdates.create({
    Ignore: staying.length - inPlace.length,
    Place: wanted.length - destructive - canaries - migrate.length,
    Migrate: migrate.length,
    Stop: stops.length - migrate.length,
    InPlaceUpdate: inPlace.length,
    DestructiveUpdate: destructive,
    Canary: canaries,
    RescheduleNow: wanted.filter(({ previous }) => previous !== undefined && replace.includes(previous)).length,
    RescheduleLater: later.length,
  });
}

export function onlyStops(stops: readonly Stop[]): DesiredUpdates {
  return DesiredUpdates.create({ Stop: stops.length });
}
