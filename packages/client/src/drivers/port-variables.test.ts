import { type DeepPartial, type Task, TaskGroup } from "@steppe/proto";
import { expect, test } from "vitest";
import { portVariables } from "./port-variables.ts";

const web: DeepPartial<Task> = { Name: "web", Resources: { Networks: [{ DynamicPorts: [{ Label: "admin" }] }] } };
const side: DeepPartial<Task> = { Name: "side" };

function groupOf(mode: string, to = 0): TaskGroup {
  return TaskGroup.create({
    Networks: [
      { Mode: mode, ReservedPorts: [{ Label: "http", Value: 80 }], DynamicPorts: [{ Label: "rpc-1", To: to }] },
    ],
    Tasks: [web, side],
  });
}

const claims = { Ports: [80, 23456, 20001], HostIPs: ["10.0.0.1", "::1", "10.0.0.1"], Devices: [], Cores: [] };
const variablesOf = (group: TaskGroup, n: number) => portVariables(group, group.Tasks[n] as Task, claims);

test("port variables: address and port of each label, static and dynamic", () => {
  expect(variablesOf(groupOf("host"), 1)).toMatchObject({
    NOMAD_PORT_http: "80",
    NOMAD_IP_http: "10.0.0.1",
    NOMAD_ADDR_http: "10.0.0.1:80",
    NOMAD_HOST_PORT_http: "80",
    NOMAD_HOST_IP_http: "10.0.0.1",
    NOMAD_ALLOC_PORT_http: "80",
    NOMAD_PORT_rpc_1: "23456",
    NOMAD_ADDR_rpc_1: "[::1]:23456",
  });
});

test("port variables: behind a bridge a task listens on the mapped port, on the host's network on the host's", () => {
  const bridged = variablesOf(groupOf("bridge", 8080), 1);
  expect(bridged).toMatchObject({ NOMAD_PORT_rpc_1: "8080", NOMAD_HOST_PORT_rpc_1: "23456" });
  expect(variablesOf(groupOf("bridge", -1), 1)).toMatchObject({ NOMAD_PORT_rpc_1: "23456" });
  expect(variablesOf(groupOf("host", 8080), 1)).toMatchObject({ NOMAD_PORT_rpc_1: "23456" });
});

test("port variables: a task's own ports by label, for other tasks under its name", () => {
  expect(variablesOf(groupOf("host"), 0)).toMatchObject({
    NOMAD_PORT_admin: "20001",
    NOMAD_ADDR_admin: "10.0.0.1:20001",
  });
  const other = variablesOf(groupOf("host"), 1);
  expect(other).toMatchObject({ NOMAD_PORT_web_admin: "20001", NOMAD_IP_web_admin: "10.0.0.1" });
  expect(other.NOMAD_PORT_admin).toBeUndefined();
});

test("port variables: none without ports", () => {
  expect(portVariables(TaskGroup.create({ Tasks: [side] }), { Name: "side" } as Task, undefined)).toEqual({});
});
