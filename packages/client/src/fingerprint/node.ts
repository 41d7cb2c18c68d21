// The node as it registers: what the machine has, what the configuration says. Pure.
import {
  DriverInfo,
  HostVolumeInfo,
  NetworkResource,
  Node,
  NodeDiskResources,
  NodeMemoryResources,
  NodeNetworkAddress,
  NodeNetworkResource,
  NodeReservedResources,
  NodeResources,
  NodeTopology,
  NodeTopologyCore,
  Resources,
} from "@steppe/proto";
import type { CompiledConfig } from "../config.ts";
import { API_VERSION, STEPPE_VERSION } from "../version.ts";
import type { NodeCredentials } from "./identity.ts";
import type { Machine } from "./machine.ts";

const MIB = 2 ** 20;

interface Capacity {
  readonly cpuMhz: number;
  readonly memoryMb: number;
  readonly diskMb: number;
}

export function buildNode(machine: Machine, config: CompiledConfig, credentials: NodeCredentials, nowNs: number): Node {
  const capacity = capacityOf(machine, config);
  return Node.create({
    ID: credentials.id,
    SecretID: credentials.secretId,
    Name: config.name,
    Datacenter: config.datacenter,
    NodeClass: config.nodeClass,
    NodePool: config.nodePool,
    HTTPAddr: config.httpAddress,
    Meta: { ...config.meta },
    Attributes: { ...attributes(machine, config, capacity), ...config.attributes },
    Status: "initializing",
    SchedulingEligibility: "eligible",
    Drivers: driverInfos(config, nowNs),
    HostVolumes: hostVolumes(config),
    ...resourceFields(capacity, machine, config),
  });
}

function capacityOf(machine: Machine, config: CompiledConfig): Capacity {
  const fingerprinted = machine.cores.reduce((sum, core) => sum + core.mhz, 0);
  return {
    cpuMhz: config.cpuTotalCompute || fingerprinted,
    memoryMb: config.memoryTotalMb || Math.floor(machine.memoryBytes / MIB),
    diskMb: config.diskTotalMb || Math.floor(machine.storage.bytesFree / MIB),
  };
}

function attributes(machine: Machine, config: CompiledConfig, capacity: Capacity): Record<string, string> {
  const result: Record<string, string> = {
    "cpu.arch": machine.arch,
    "cpu.frequency": String(Math.max(0, ...machine.cores.map((core) => core.mhz))),
    "cpu.modelname": machine.cpuModel,
    "cpu.numcores": String(machine.cores.length),
    "cpu.reservablecores": String(machine.cores.length),
    "cpu.totalcompute": String(capacity.cpuMhz),
    "kernel.name": machine.kernelName,
    "kernel.version": machine.kernelVersion,
    "memory.totalbytes": String(capacity.memoryMb * MIB),
    "nomad.version": API_VERSION,
    "os.name": machine.osName,
    "os.version": machine.osVersion,
    "steppe.version": STEPPE_VERSION,
    "unique.hostname": machine.hostname,
    "unique.network.ip-address": machine.network.address,
    "unique.storage.bytesfree": String(machine.storage.bytesFree),
    "unique.storage.bytestotal": String(machine.storage.bytesTotal),
  };
  for (const driver of config.drivers) result[`driver.${driver}`] = "1";
  return result;
}

function driverInfos(config: CompiledConfig, nowNs: number): Record<string, DriverInfo> {
  const infos = config.drivers.map((name) => [
    name,
    DriverInfo.create({
      Attributes: { [`driver.${name}`]: "true" },
      Detected: true,
      Healthy: true,
      HealthDescription: "Healthy",
      UpdateTime: nowNs,
    }),
  ]);
  return Object.fromEntries(infos);
}

function hostVolumes(config: CompiledConfig): Record<string, HostVolumeInfo> {
  const volumes = Object.entries(config.hostVolumes);
  return Object.fromEntries(
    volumes.map(([Name, { path, readOnly }]) => [
      Name,
      HostVolumeInfo.create({ Name, Path: path, ReadOnly: readOnly }),
    ]),
  );
}

type ResourceFields = Pick<Node, "NodeResources" | "ReservedResources" | "Resources" | "Reserved">;

function resourceFields(capacity: Capacity, machine: Machine, config: CompiledConfig): ResourceFields {
  const { reserved } = config;
  const network = NetworkResource.create({
    Mode: "host",
    Device: machine.network.device,
    CIDR: machine.network.cidr,
    IP: machine.network.address,
  });
  return {
    NodeResources: NodeResources.create({
      Cpu: {
        CpuShares: capacity.cpuMhz,
        TotalCpuCores: machine.cores.length,
        ReservableCpuCores: machine.cores.map((core) => core.id),
      },
      Processors: { Topology: topology(machine, config) },
      Memory: NodeMemoryResources.create({ MemoryMB: capacity.memoryMb }),
      Disk: NodeDiskResources.create({ DiskMB: capacity.diskMb }),
      NodeNetworks: [hostNetwork(machine)],
      Networks: [network],
      MinDynamicPort: config.dynamicPorts.min,
      MaxDynamicPort: config.dynamicPorts.max,
    }),
    ReservedResources: NodeReservedResources.create({
      Cpu: { CpuShares: reserved.cpu, ReservedCpuCores: [] },
      Memory: { MemoryMB: reserved.memoryMb },
      Disk: { DiskMB: reserved.diskMb },
      Networks: { ReservedHostPorts: reserved.ports },
    }),
    Resources: Resources.create({
      CPU: capacity.cpuMhz,
      MemoryMB: capacity.memoryMb,
      DiskMB: capacity.diskMb,
      Networks: [network],
    }),
    Reserved: Resources.create({ CPU: reserved.cpu, MemoryMB: reserved.memoryMb, DiskMB: reserved.diskMb }),
  };
}

function topology(machine: Machine, config: CompiledConfig): NodeTopology {
  return NodeTopology.create({
    Nodes: new Uint8Array([0]),
    Distances: [new Uint8Array([10])],
    Cores: machine.cores.map((core) => NodeTopologyCore.create({ ID: core.id, Grade: true, BaseSpeed: core.mhz })),
    OverrideTotalCompute: config.cpuTotalCompute,
  });
}

function hostNetwork(machine: Machine): NodeNetworkResource {
  const address = NodeNetworkAddress.create({ Family: "ipv4", Alias: "default", Address: machine.network.address });
  return NodeNetworkResource.create({
    Mode: "host",
    Device: machine.network.device,
    MacAddress: machine.network.mac,
    Addresses: [address],
  });
}
