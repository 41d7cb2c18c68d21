import { expect, test } from "vitest";
import { compileConfig } from "../config.ts";
import type { Machine } from "./machine.ts";
import { buildNode } from "./node.ts";

const machine: Machine = {
  hostname: "n1",
  arch: "amd64",
  cores: [{ id: 0, mhz: 2000 }],
  cpuModel: "",
  memoryBytes: 2 ** 30,
  kernelName: "linux",
  kernelVersion: "6.1",
  osName: "debian",
  osVersion: "12",
  network: { device: "eth0", address: "10.0.0.1", mac: "", cidr: "10.0.0.1/32" },
  storage: { bytesTotal: 2 ** 40, bytesFree: 2 ** 40 },
};

test("node: its ports and volumes are those of the configuration", () => {
  const config = compileConfig(
    {
      servers: ["127.0.0.1:4647"],
      dataDir: "/data",
      dynamicPorts: { min: 21_000, max: 21_999 },
      hostVolumes: { certs: { path: "/etc/certs", readOnly: true } },
      reserved: { ports: "22,80" },
    },
    "n1",
  );
  const node = buildNode(machine, config, { id: "id", secretId: "secret" }, 0);
  expect(node.NodeResources).toMatchObject({ MinDynamicPort: 21_000, MaxDynamicPort: 21_999 });
  expect(node.NodeResources?.NodeNetworks[0]?.Addresses).toMatchObject([{ Alias: "default", Address: "10.0.0.1" }]);
  expect(node.ReservedResources?.Networks?.ReservedHostPorts).toBe("22,80");
  expect(node.HostVolumes).toEqual({ certs: { Name: "certs", Path: "/etc/certs", ReadOnly: true, ID: "" } });
});
