import { RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Table } from "../row.ts";
import { JSON_BODY, READ_HEADERS } from "../values.ts";

const table: Table = {
  subject: "/v1/allocations and /v1/allocation/:id",
  rows: [
    { name: "GET list", request: "GET /v1/allocations", expect: { headers: { ...JSON_BODY, ...READ_HEADERS } } },
    {
      name: "GET one, with its job and resources",
      given: [registered(sleeperJob()), RUNNING],
      request: "GET /v1/allocation/$alloc",
      expect: {
        body: {
          ID: "$alloc",
          NodeID: "$node",
          EvalID: "$eval",
          Job: { ID: "$id" },
          AllocatedResources: { Tasks: { task: { Cpu: { CpuShares: 20 }, Memory: { MemoryMB: 20 } } } },
          TaskStates: { task: { State: "running", Failed: false } },
        },
        fields: ["Metrics", "DesiredTransition", "CreateTime", "ModifyTime", "AllocModifyIndex", "NodeName"],
        headers: READ_HEADERS,
      },
    },
    {
      name: "GET an unknown one: 404",
      request: "GET /v1/allocation/00000000-0000-0000-0000-000000000000",
      expect: { status: 404, text: "alloc not found", headers: READ_HEADERS },
    },
  ],
};

export default table;
