// A node that does not exist, as it registers. Pure: the same seed and number make the same node.
import { deriveId } from "@steppe/model";
import { DriverInfo, Node, NodeReservedResources, NodeResources, Resources } from "@steppe/proto";
import { API_VERSION, STEPPE_VERSION } from "../version.ts";

export interface SimulatedShape {
  /** MHz. */
  readonly cpu: number;
  readonly memoryMb: number;
  readonly diskMb: number;
  /** Nodes take them in turn; at least one. */
  readonly datacenters: readonly string[];
  /** Nodes take them in turn; none = no class. */
  readonly classes: readonly string[];
  readonly nodePool: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
  readonly namePrefix: string;
  readonly drivers: readonly string[];
}

/** `seed`: 16 bytes. Its ids are distinct for distinct n. */
export function simulatedNode(shape: SimulatedShape, seed: Uint8Array, n: number): Node {
  const name = `${shape.namePrefix}${n}`;
  const cores = Math.max(1, Math.round(shape.cpu / 2000));
  return Node.create({
    ID: deriveId(seed, 2 * n),
    SecretID: deriveId(seed, 2 * n + 1),
    Name: name,
    Datacenter: shape.datacenters[n % shape.datacenters.length] ?? "dc1",
    NodeClass: shape.classes[n % Math.max(1, shape.classes.length)] ?? "",
    NodePool: shape.nodePool,
    HTTPAddr: `${address(n)}:4646`,
    Meta: { ...shape.meta },
    Attributes: { ...attributes(shape, cores, name, n), ...shape.attributes },
    Status: "initializing",
    SchedulingEligibility: "eligible",
    Drivers: Object.fromEntries(shape.drivers.map((driver) => [driver, healthyDriver(driver)])),
    NodeResources: NodeResources.create({
      Cpu: {
        CpuShares: shape.cpu,
        TotalCpuCores: cores,
        ReservableCpuCores: Array.from({ length: cores }, (_, i) => i),
      },
      Processors: {},
      Memory: { MemoryMB: shape.memoryMb },
      Disk: { DiskMB: shape.diskMb },
      NodeNetworks: [
        { Mode: "host", Device: "eth0", Addresses: [{ Family: "ipv4", Alias: "default", Address: address(n) }] },
      ],
      Networks: [{ Mode: "host", Device: "eth0", IP: address(n), CIDR: `${address(n)}/32` }],
      MinDynamicPort: 20000,
      MaxDynamicPort: 32000,
    }),
    ReservedResources: NodeReservedResources.create({
      Cpu: {},
      Memory: {},
      Disk: {},
      Networks: {},
    }),
    Resources: Resources.create({ CPU: shape.cpu, MemoryMB: shape.memoryMb, DiskMB: shape.diskMb }),
    Reserved: Resources.create({}),
  });
}

/** Distinct for the first 16 million. */
function address(n: number): string {
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
}

function healthyDriver(name: string): DriverInfo {
  return DriverInfo.create({
    Attributes: { [`driver.${name}`]: "true" },
    Detected: true,
    Healthy: true,
    HealthDescription: "Healthy",
  });
}

function attributes(shape: SimulatedShape, cores: number, name: string, n: number): Record<string, string> {
  const result: Record<string, string> = {
    "cpu.arch": "amd64",
    "cpu.numcores": String(cores),
    "cpu.totalcompute": String(shape.cpu),
    "kernel.name": "linux",
    "memory.totalbytes": String(shape.memoryMb * 2 ** 20),
    "nomad.version": API_VERSION,
    "os.name": "debian",
    "steppe.version": STEPPE_VERSION,
    "unique.hostname": name,
    "unique.network.ip-address": address(n),
  };
  for (const driver of shape.drivers) result[`driver.${driver}`] = "1";
  return result;
}
