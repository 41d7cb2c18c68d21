import type { Node, TaskGroup, VolumeRequest } from "@steppe/proto";
import type { Check } from "./check.ts";

export const MISSING_VOLUMES = "missing compatible host volumes";

/** The volumes of the group that are mounted from the node. */
export function volumeChecks(group: TaskGroup): Check[] {
  const requests = Object.values(group.Volumes);
  const host = requests.filter(({ Type }) => Type === "host");
  const csi = requests.some(({ Type }) => Type === "csi");
  return [...(host.length > 0 ? [hostVolumeCheck(host)] : []), ...(csi ? [NO_CSI] : [])];
}

/** Not by class: the computed class does not know of volumes. */
function hostVolumeCheck(requests: readonly VolumeRequest[]): Check {
  return {
    reason: MISSING_VOLUMES,
    byClass: false,
    accepts: (node) =>
      requests.every((it) => (it.PerAlloc ? hasAnyOf(it, node) : hasVolume(it.Source, it.ReadOnly, node))),
  };
}

const NO_CSI: Check = {
  reason: "CSI volumes are not supported by this version",
  byClass: true,
  accepts: () => false,
};

/** The node has the volume, and lets it be written where that is wanted. */
export function hasVolume(source: string, readOnly: boolean, { HostVolumes }: Node): boolean {
  const volume = Object.hasOwn(HostVolumes, source) ? HostVolumes[source] : undefined;
  return volume !== undefined && (readOnly || !volume.ReadOnly);
}

/** The source of one allocation where each has its own. */
export function sourceOf({ Source, PerAlloc }: VolumeRequest, nameIndex: number): string {
  return PerAlloc ? `${Source}[${nameIndex}]` : Source;
}

/** The volume of some allocation; of which one is looked at when that is placed. */
function hasAnyOf({ Source, ReadOnly }: VolumeRequest, node: Node): boolean {
  return Object.keys(node.HostVolumes).some((name) => name.startsWith(`${Source}[`) && hasVolume(name, ReadOnly, node));
}
