import type { AllocatedDeviceResource, Claims } from "@steppe/proto";
import { PortSet } from "./port-set.ts";

/** Ports and devices of one node that its allocations hold. */
export class Holdings {
  /** By address. */
  readonly ports: Map<string, PortSet> = new Map();
  /** By `instanceKey`: holders, which are never more than one unless a node changed under them. */
  readonly devices: Map<string, number> = new Map();

  get isEmpty(): boolean {
    return this.ports.size === 0 && this.devices.size === 0;
  }

  add({ Ports, HostIPs, Devices }: Claims): void {
    for (const [i, port] of Ports.entries()) this.#portsAt(HostIPs[i] ?? "").add(port);
    for (const key of instanceKeys(Devices)) this.devices.set(key, (this.devices.get(key) ?? 0) + 1);
  }

  remove({ Ports, HostIPs, Devices }: Claims): void {
    Ports.forEach((port, i) => {
      const ip = HostIPs[i] ?? "";
      const set = this.ports.get(ip);
      set?.remove(port);
      if (set?.size === 0) this.ports.delete(ip);
    });
    for (const key of instanceKeys(Devices)) {
      const left = (this.devices.get(key) ?? 0) - 1;
      if (left > 0) this.devices.set(key, left);
      else this.devices.delete(key);
    }
  }

  #portsAt(ip: string): PortSet {
    let set = this.ports.get(ip);
    if (set === undefined) {
      set = new PortSet();
      this.ports.set(ip, set);
    }
    return set;
  }
}

/** What a device instance is called among those of its node. */
export function instanceKey(kind: Pick<AllocatedDeviceResource, "Vendor" | "Type" | "Name">, id: string): string {
  return `${kind.Vendor}/${kind.Type}/${kind.Name}/${id}`;
}

export function instanceKeys(devices: readonly AllocatedDeviceResource[]): string[] {
  return devices.flatMap((device) => device.DeviceIDs.map((id) => instanceKey(device, id)));
}
