import type { TaskGroup } from "@steppe/proto";
import type { Check } from "./check.ts";
import { deviceChecks } from "./device.ts";
import { driverCheck } from "./driver.ts";
import { networkChecks } from "./network.ts";
import { volumeChecks } from "./volume.ts";

/** What a group needs of a node besides its constraints. */
export function groupChecks(group: TaskGroup): Check[] {
  return [driverCheck(group), ...deviceChecks(group), ...networkChecks(group), ...volumeChecks(group)];
}

/** Tells apart groups with other checks. */
export function describeNeeds({ Networks, Volumes, Tasks }: TaskGroup): unknown {
  const devices = Tasks.flatMap((task) => task.Resources?.Devices ?? []);
  return [Networks, Volumes, devices];
}
