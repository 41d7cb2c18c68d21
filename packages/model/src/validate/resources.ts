import type { RequestedDevice, Resources } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { multiError } from "../multi-error.ts";
import { validateAffinities, validateConstraints } from "./constraint.ts";

const CPU_MIN = 1;
const MEMORY_MIN_MB = 10;
/** A MemoryMaxMB of -1: all the node has. */
const UNLIMITED = -1;

/** DiskMB, IOPS and the MBits of networks are older forms that nothing acts on: any value will do. */
export function validateResources(resources: Resources): string[] {
  const { CPU = 0, Cores = 0, MemoryMB = 0, MemoryMaxMB = 0, SecretsMB = 0 } = resources;
  const errors: string[] = [];
  if (Cores > 0 && CPU > 0) errors.push("Task can only ask for 'cpu' or 'cores' resource, not both.");
  if (Cores < 0) errors.push(`minimum Cores value is 0; got ${Cores}`);
  if (Cores <= 0 && CPU < CPU_MIN) errors.push(`minimum CPU value is ${CPU_MIN}; got ${CPU}`);
  if (MemoryMB < MEMORY_MIN_MB) errors.push(`minimum MemoryMB value is ${MEMORY_MIN_MB}; got ${MemoryMB}`);
  errors.push(...devices(resources.Devices), ...numa(resources));
  if (MemoryMaxMB !== 0 && MemoryMaxMB !== UNLIMITED && MemoryMaxMB < MemoryMB) {
    errors.push(`MemoryMaxMB value (${MemoryMaxMB}) should be larger than MemoryMB value (${MemoryMB})`);
  }
  if (SecretsMB < 0) errors.push(`SecretsMB value (${SecretsMB}) cannot be negative`);
  return errors;
}

function devices(requested: readonly RequestedDevice[]): string[] {
  return requested.flatMap((device, i) => {
    const errors =
      device.Name === ""
        ? ["device name must be given as one of the following: type, vendor/type, or vendor/type/name"]
        : [];
    errors.push(...validateConstraints(device.Constraints), ...validateAffinities(device.Affinities, ""));
    return errors.length === 0 ? [] : [`device ${i + 1} failed validation: ${multiError(errors)}`];
  });
}

function numa(resources: Resources): string[] {
  const affinity = resources.NUMA?.Affinity;
  if (affinity === undefined || ["", "none", "prefer", "require"].includes(affinity)) return [];
  return [`numa affinity must be one of none, prefer, or require; got ${quote(affinity)}`];
}
