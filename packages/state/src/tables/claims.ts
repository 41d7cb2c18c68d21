import type { AllocatedDeviceResource, Claims } from "@steppe/proto";

/** Shared by all claims that have no such thing: most have ports, or devices, alone. */
const NO_NUMBERS: number[] = [];
const NO_TEXTS: string[] = [];
const NO_DEVICES: AllocatedDeviceResource[] = [];

/** The same claims, without empty lists of their own; copies of the others, which have no room to grow. */
export function compactClaims({ Ports, HostIPs, Devices, Cores }: Claims): Claims {
  return {
    Ports: Ports.length === 0 ? NO_NUMBERS : Ports.slice(),
    HostIPs: HostIPs.length === 0 ? NO_TEXTS : HostIPs.slice(),
    Devices: Devices.length === 0 ? NO_DEVICES : Devices,
    Cores: Cores.length === 0 ? NO_NUMBERS : Cores.slice(),
  };
}
