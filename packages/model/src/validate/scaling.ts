import type { TaskGroup } from "@steppe/proto";

export function validateScaling(group: TaskGroup): string[] {
  const scaling = group.Scaling;
  if (scaling === undefined) return [];
  const { Min: min = 0, Max: max = -1 } = scaling;
  const count = group.Count ?? 0;
  const errors: string[] = [];
  if (scaling.Type === "") errors.push("missing scaling policy type");
  if (max < 0) errors.push("maximum count must be specified and non-negative");
  else if (max < min) errors.push("maximum count must not be less than minimum count");
  if (min < 0) errors.push("minimum count must be specified and non-negative");
  if (max < count) errors.push("task group count must not be greater than maximum count in scaling policy");
  if (count < min) errors.push("task group count must not be less than minimum count in scaling policy");
  return errors.map((text) => `Scaling policy invalid: ${text}`);
}
