import type { Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS, WRITE_HEADERS } from "../values.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

const table: Table = {
  subject: "/v1/nodes and /v1/node/:id",
  rows: [
    {
      name: "GET list, stubs",
      request: "GET /v1/nodes",
      expect: {
        body: [{ ID: "$node", Status: "ready", SchedulingEligibility: "eligible", Drain: false }],
        fields: ["Address", "Datacenter", "Name", "NodeClass", "NodePool", "Version", "Drivers", "ModifyIndex"],
        headers: { ...JSON_BODY, ...READ_HEADERS },
      },
    },
    {
      name: "GET one",
      request: "GET /v1/node/$node",
      expect: {
        body: { ID: "$node", NodeResources: { Cpu: { CpuShares: a.number } }, Attributes: { "kernel.name": a.text } },
        fields: ["ReservedResources", "Links", "Meta", "Events", "Drivers", "StatusUpdatedAt", "ComputedClass"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "GET one, never its secret",
      request: "GET /v1/node/$node",
      expect: { body: { SecretID: "" } },
    },
    {
      name: "GET an unknown one: 404",
      request: `GET /v1/node/${NOBODY}`,
      expect: { status: 404, text: "node not found", headers: READ_HEADERS },
    },
    {
      name: "GET allocations of an unknown one: 200, empty",
      request: `GET /v1/node/${NOBODY}/allocations`,
      expect: { body: [] },
    },
    {
      name: "PUT evaluate",
      request: "PUT /v1/node/$node/evaluate",
      expect: {
        body: { EvalCreateIndex: a.number, NodeModifyIndex: a.number },
        headers: WRITE_HEADERS,
      },
    },
    {
      name: "PUT eligibility and back",
      given: [{ line: "PUT /v1/node/$node/eligibility", body: { NodeID: "$node", Eligibility: "ineligible" } }],
      request: { line: "PUT /v1/node/$node/eligibility", body: { NodeID: "$node", Eligibility: "eligible" } },
      expect: { body: { NodeModifyIndex: a.number }, headers: WRITE_HEADERS },
    },
  ],
};

export default table;
