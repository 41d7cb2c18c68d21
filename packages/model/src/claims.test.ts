import { type DeepPartial, TaskGroup } from "@steppe/proto";
import { expect, test } from "vitest";
import { isDeviceKind } from "./claims.ts";
import { parsePortRanges } from "./port-ranges.ts";
import { allocatedResources } from "./resources.ts";

test.each([
  ["", []],
  ["22", [[22, 22]]],
  [
    "22, 80,8500-8600",
    [
      [22, 22],
      [80, 80],
      [8500, 8600],
    ],
  ],
  ["65536", undefined],
  ["90-80", undefined],
  ["22,,80", undefined],
  ["-1", undefined],
  ["http", undefined],
])("port ranges %j: %j", (text, expected) => {
  expect(parsePortRanges(text)).toEqual(expected);
});

test.each([
  ["gpu", true],
  ["nvidia/gpu", true],
  ["nvidia/gpu/rtx/4090", true],
  ["nvidia/gpu/rtx", false],
  ["gpu/rtx", false],
  ["intel/gpu", false],
])("device named %s: %s", (name, expected) => {
  expect(isDeviceKind(name, { Vendor: "nvidia", Type: "gpu", Name: "rtx/4090" })).toBe(expected);
});

const group: DeepPartial<TaskGroup> = {
  Networks: [
    {
      Mode: "bridge",
      ReservedPorts: [{ Label: "http", Value: 80, To: 8080 }],
      DynamicPorts: [{ Label: "rpc", To: -1 }],
    },
  ],
  Tasks: [
    { Name: "a", Resources: { Devices: [{ Name: "gpu" }] } },
    { Name: "b", Resources: { Networks: [{ DynamicPorts: [{ Label: "db" }] }] } },
  ],
};

test("allocated resources: ports in the group's network and the list, the older form at the task, devices at theirs", () => {
  const device = { Vendor: "v", Type: "gpu", Name: "n", DeviceIDs: ["g0"] };
  const HostIPs = ["10.0.0.1", "10.0.0.1", "10.0.0.2"];
  const claims = { Ports: [80, 20001, 20002], HostIPs, Devices: [device], Cores: [] };
  const { Shared, Tasks } = allocatedResources(TaskGroup.create(group), claims);
  expect(Shared?.Ports).toEqual([
    { Label: "http", Value: 80, To: 8080, HostIP: "10.0.0.1", IgnoreCollision: false },
    { Label: "rpc", Value: 20001, To: 20001, HostIP: "10.0.0.1", IgnoreCollision: false },
  ]);
  expect(Shared?.Networks).toMatchObject([
    {
      Mode: "bridge",
      IP: "10.0.0.1",
      ReservedPorts: [{ Label: "http", Value: 80 }],
      DynamicPorts: [{ Label: "rpc", Value: 20001, To: 20001 }],
    },
  ]);
  expect(Tasks.a).toMatchObject({ Devices: [device], Networks: [] });
  expect(Tasks.b).toMatchObject({ Devices: [], Networks: [{ IP: "10.0.0.2", DynamicPorts: [{ Value: 20002 }] }] });
});
