import type { AllocatedDeviceResource, NodeDeviceResource } from "@steppe/proto";
import { instanceKey } from "@steppe/state";
import type { DeviceRequest } from "../feasible/device.ts";

export interface ChosenDevices {
  /** One a request, in their order. */
  readonly devices: AllocatedDeviceResource[];
  /** Sum of the weights of the affinities that the choice meets. */
  readonly weight: number;
}

/** Free instances for each request in turn, of the kind that its affinities prefer; undefined when some request finds none. */
export function chooseDevices(
  requests: readonly DeviceRequest[],
  kinds: readonly NodeDeviceResource[],
  isHeld: (key: string) => boolean,
): ChosenDevices | undefined {
  const chosen = new Set<string>();
  const isFree = (key: string) => !isHeld(key) && !chosen.has(key);
  const devices: AllocatedDeviceResource[] = [];
  let weight = 0;
  for (const request of requests) {
    const best = preferred(request, kinds, isFree);
    if (best === undefined) return undefined;
    for (const id of best.device.DeviceIDs) chosen.add(instanceKey(best.device, id));
    devices.push(best.device);
    weight += best.weight;
  }
  return { devices, weight };
}

/** The first of equally good kinds, so that the choice is the same everywhere. */
function preferred(
  request: DeviceRequest,
  kinds: readonly NodeDeviceResource[],
  isFree: (key: string) => boolean,
): { readonly device: AllocatedDeviceResource; readonly weight: number } | undefined {
  let best: { readonly device: AllocatedDeviceResource; readonly weight: number } | undefined;
  for (const kind of kinds) {
    if (!request.matches(kind)) continue;
    const weight = request.weightOf(kind);
    if (best !== undefined && weight <= best.weight) continue;
    const DeviceIDs = freeInstances(request, kind, isFree);
    if (DeviceIDs === undefined) continue;
    best = { device: { Vendor: kind.Vendor, Type: kind.Type, Name: kind.Name, DeviceIDs }, weight };
  }
  return best;
}

function freeInstances(
  request: DeviceRequest,
  kind: NodeDeviceResource,
  isFree: (key: string) => boolean,
): string[] | undefined {
  const ids: string[] = [];
  if (request.count <= 0) return undefined;
  for (const id of request.instances(kind)) {
    if (isFree(instanceKey(kind, id)) && !ids.includes(id)) ids.push(id);
    if (ids.length === request.count) return ids;
  }
  return undefined;
}
