import type { Job, Node, TaskGroup } from "@steppe/proto";
import type { Check } from "./check.ts";

/**
 * Every driver that a task of the group needs is there and healthy. Not by class: the computed
 * class does not know of health.
 */
export function driverCheck(group: TaskGroup): Check {
  const drivers = driversOf(group);
  return {
    reason: "missing drivers",
    byClass: false,
    accepts: (node) => drivers.every((driver) => hasDriver(node, driver)),
  };
}

export function driversOf(group: Job["TaskGroups"][number]): string[] {
  return [...new Set(group.Tasks.map((task) => task.Driver))];
}

/** Old agents tell of a driver only by an attribute. */
function hasDriver(node: Node, driver: string): boolean {
  const info = Object.hasOwn(node.Drivers, driver) ? node.Drivers[driver] : undefined;
  if (info !== undefined) return info.Detected && info.Healthy;
  return isTrue(node.Attributes[`driver.${driver}`]);
}

/** As Go's strconv.ParseBool takes it. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && ["1", "t", "T", "TRUE", "true", "True"].includes(text);
}
