// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
// Complete, canonical messages for tests, the same on every call with the same counter.
import { type DeepPartial, Job, Node } from "@steppe/proto";
import { canonicalizeJob } from "./canonicalize/index.ts";
import { computedClass } from "./computed-class.ts";

/** A service job of one group `web` with 10 allocations of one task: 500 MHz, 256 MiB, 150 MiB of disk. */
export function mockJob(overrides: DeepPartial<Job> = {}, counter = 0): Job {
  return canonical({
    ...common(`mock-service-${counter}`),
    Type: "service",
    TaskGroups: [
      {
        Name: "web",
        Count: 10,
        EphemeralDisk: { SizeMB: 150 },
        RestartPolicy: { Attempts: 3, Interval: 10 * 60e9, Delay: 60e9, Mode: "delay" },
        ReschedulePolicy: { Attempts: 2, Interval: 10 * 60e9, Delay: 5e9, DelayFunction: "constant", Unlimited: false },
        Tasks: [mockTask()],
      },
    ],
    ...overrides,
  });
}

/** As `mockJob`, but a batch job whose group is called `work`. */
export function mockBatchJob(overrides: DeepPartial<Job> = {}, counter = 0): Job {
  return canonical({
    ...common(`mock-batch-${counter}`),
    Type: "batch",
    TaskGroups: [{ Name: "work", Count: 10, EphemeralDisk: { SizeMB: 150 }, Tasks: [mockTask()] }],
    ...overrides,
  });
}

/** One allocation of `web` on every node, at priority 100. */
export function mockSystemJob(overrides: DeepPartial<Job> = {}, counter = 0): Job {
  return canonical({
    ...common(`mock-system-${counter}`),
    Type: "system",
    Priority: 100,
    TaskGroups: [{ Name: "web", Count: 1, EphemeralDisk: { SizeMB: 150 }, Tasks: [mockTask()] }],
    ...overrides,
  });
}

function common(id: string): DeepPartial<Job> {
  return {
    Region: "global",
    Namespace: "default",
    ID: id,
    Name: id,
    Priority: 50,
    Datacenters: ["dc1"],
    NodePool: "default",
    Constraints: [{ LTarget: "${attr.kernel.name}", RTarget: "linux", Operand: "=" }],
    Meta: { owner: "armon" },
    Status: "pending",
    CreateIndex: 42,
    ModifyIndex: 99,
    JobModifyIndex: 99,
  };
}

function mockTask(): DeepPartial<Job["TaskGroups"][number]["Tasks"][number]> {
  return {
    Name: "web",
    Driver: "exec",
    Config: { command: "/bin/date" },
    Env: { FOO: "bar" },
    Resources: { CPU: 500, MemoryMB: 256 },
    LogConfig: { MaxFiles: 10, MaxFileSizeMB: 1 },
    Meta: { foo: "bar" },
  };
}

function canonical(job: DeepPartial<Job>): Job {
  const result = Job.create(job);
  canonicalizeJob(result, { region: "global" });
  return result;
}

/**
 * A ready Linux node in dc1 with 4,000 MHz (4 cores), 8,192 MiB of memory and 100 GiB of disk, of
 * which 100 MHz, 256 MiB and 4 GiB are kept back. `counter` tells nodes apart; 0 to 2^32 - 1.
 */
export function mockNode(overrides: DeepPartial<Node> = {}, counter = 0): Node {
  const digits = counter.toString(16).padStart(8, "0");
  const node = Node.create({
    ID: `${digits}-aaaa-4aaa-8aaa-${digits.padStart(12, "0")}`,
    SecretID: `${digits}-bbbb-4bbb-8bbb-${digits.padStart(12, "0")}`,
    Datacenter: "dc1",
    Name: `node-${counter}`,
    NodePool: "default",
    NodeClass: "linux-medium-pci",
    HTTPAddr: "127.0.0.1:4646",
    Attributes: {
      arch: "amd64",
      "cpu.arch": "amd64",
      "cpu.numcores": "4",
      "driver.docker": "1",
      "driver.exec": "1",
      "driver.mock_driver": "1",
      "driver.raw_exec": "1",
      "kernel.name": "linux",
      "kernel.version": "6.1.0",
      "nomad.version": "2.0.5",
      "os.name": "debian",
      "os.version": "12",
      "unique.hostname": `node-${counter}`,
    },
    Meta: { pci: "true", database: "mysql", version: "5.6" },
    Drivers: {
      docker: { Detected: true, Healthy: true },
      exec: { Detected: true, Healthy: true },
      mock_driver: { Detected: true, Healthy: true },
      raw_exec: { Detected: true, Healthy: true },
    },
    NodeResources: {
      Cpu: { CpuShares: 4000, TotalCpuCores: 4, ReservableCpuCores: [0, 1, 2, 3] },
      Processors: {
        Topology: {
          Nodes: new Uint8Array([0]),
          Cores: [0, 1, 2, 3].map((ID) => ({ ID, Grade: true, BaseSpeed: 1000 })),
        },
      },
      Memory: { MemoryMB: 8192 },
      Disk: { DiskMB: 100 * 1024 },
      NodeNetworks: [
        {
          Mode: "host",
          Device: "eth0",
          Speed: 1000,
          Addresses: [{ Family: "ipv4", Alias: "default", Address: "192.168.0.100" }],
        },
      ],
      Networks: [{ Mode: "host", Device: "eth0", CIDR: "192.168.0.100/32", IP: "192.168.0.100", MBits: 1000 }],
      MinDynamicPort: 20000,
      MaxDynamicPort: 32000,
    },
    ReservedResources: {
      Cpu: { CpuShares: 100 },
      Memory: { MemoryMB: 256 },
      Disk: { DiskMB: 4 * 1024 },
      Networks: { ReservedHostPorts: "22" },
    },
    SchedulingEligibility: "eligible",
    Status: "ready",
    CreateIndex: 1,
    ModifyIndex: 1,
    ...overrides,
  });
  node.ComputedClass ||= computedClass(node);
  return node;
}
