import type { AllocatedDeviceResource, Claims } from "@steppe/proto";
import { PortSet } from "./port-set.ts";

/** Ports, devices and cores of one node that its allocations hold. */
export class Holdings {
  /** By address. */
  readonly ports: Map<string, PortSet> = new Map();
  /** By `instanceKey`: holders, which are never more than one unless a node changed under them. */
  readonly devices: Map<string, number> = new Map();
  /** By core number: the same. */
  readonly cores: Map<number, number> = new Map();

  get isEmpty(): boolean {
    return this.ports.size === 0 && this.devices.size === 0 && this.cores.size === 0;
  }

  add({ Ports, HostIPs, Devices, Cores }: Claims): void {
    for (const [i, port] of Ports.entries()) this.#portsAt(HostIPs[i] ?? "").add(port);
    for (const key of instanceKeys(Devices)) change(this.devices, key, 1);
    for (const core of Cores) change(this.cores, core, 1);
  }

  remove({ Ports, HostIPs, Devices, Cores }: Claims): void {
    Ports.forEach((port, i) => {
      const ip = HostIPs[i] ?? "";
      const set = this.ports.get(ip);
      set?.remove(port);
      if (set?.size === 0) this.ports.delete(ip);
    });
    for (const key of instanceKeys(Devices)) change(this.devices, key, -1);
    for (const core of Cores) change(this.cores, core, -1);
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

function change<K>(holders: Map<K, number>, key: K, by: 1 | -1): void {
  const left = (holders.get(key) ?? 0) + by;
  if (left > 0) holders.set(key, left);
  else holders.delete(key);
}

/** What a device instance is called among those of its node. */
export function instanceKey(kind: Pick<AllocatedDeviceResource, "Vendor" | "Type" | "Name">, id: string): string {
  return `${kind.Vendor}/${kind.Type}/${kind.Name}/${id}`;
}

export function instanceKeys(devices: readonly AllocatedDeviceResource[]): string[] {
  return devices.flatMap((device) => device.DeviceIDs.map((id) => instanceKey(device, id)));
}
