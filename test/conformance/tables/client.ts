import { RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Row, Table } from "../row.ts";
import { a, JSON_BODY } from "../values.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";
const running = [registered(sleeperJob()), RUNNING];

/** Nobody listens where the check asks. */
const CHECKED = {
  Networks: [{ DynamicPorts: [{ Label: "http" }] }],
  Services: [
    {
      ...{ Name: "$id", Provider: "nomad", PortLabel: "http" },
      Checks: [{ Name: "up", Type: "tcp", Interval: 1e9, Timeout: 1e9 }],
    },
  ],
};
const refused: readonly [request: Row["request"], text: string][] = [
  ["GET /v1/client/fs/ls/", "must provide a valid alloc id"],
  ["GET /v1/client/fs/stat/$alloc", "must provide a file name"],
  ["GET /v1/client/fs/logs/$alloc?type=stdout", "must provide task name"],
  ["GET /v1/client/fs/logs/$alloc?task=task&type=x", "must provide log type (stdout/stderr)"],
  ["GET /v1/client/fs/logs/$alloc?task=task&type=stdout&origin=x", "origin must be start or end"],
];

const table: Table = {
  subject: "/v1/client/*",
  rows: [
    {
      name: "GET fs/ls of an allocation",
      given: running,
      request: "GET /v1/client/fs/ls/$alloc?path=alloc",
      expect: { fields: ["Name", "IsDir", "Size", "FileMode", "ModTime"], headers: JSON_BODY },
    },
    {
      name: "GET fs/stat of a folder",
      given: running,
      request: "GET /v1/client/fs/stat/$alloc?path=alloc",
      expect: { body: { Name: "alloc", IsDir: true } },
    },
    ...refused.map(
      ([request, text]): Row => ({ name: `${text}: 400`, given: running, request, expect: { status: 400, text } }),
    ),
    {
      name: "GET fs/ls of an unknown allocation: 404",
      request: `GET /v1/client/fs/ls/${NOBODY}`,
      expect: { status: 404, text: /Unknown allocation/ },
    },
    {
      name: "GET stats of the node",
      request: "GET /v1/client/stats?node_id=$node",
      expect: { body: { Memory: { Total: a.number }, CPU: a.list, DiskStats: a.list }, headers: JSON_BODY },
    },
    {
      name: "GET stats of an allocation",
      given: running,
      request: "GET /v1/client/allocation/$alloc/stats",
      expect: { body: { ResourceUsage: { MemoryStats: {}, CpuStats: {} }, Tasks: { task: {} } } },
    },
    {
      name: "PUT restart of an allocation",
      given: running,
      request: { line: "PUT /v1/client/allocation/$alloc/restart", body: { TaskName: "task" } },
      expect: { headers: JSON_BODY },
    },
    {
      name: "GET checks of an allocation that has none, empty",
      given: running,
      request: "GET /v1/client/allocation/$alloc/checks",
      expect: { text: "{}", headers: JSON_BODY },
    },
    {
      name: "GET checks of an allocation, by their IDs",
      given: [registered(sleeperJob({ group: CHECKED })), RUNNING],
      request: "GET /v1/allocation/$alloc/checks",
      expect: { text: /"Mode":"healthiness"/ },
    },
    {
      name: "PUT stop of an allocation, tells the evaluation",
      given: running,
      request: "PUT /v1/allocation/$alloc/stop",
      expect: { body: { EvalID: a.uuid, Index: a.number } },
    },
    {
      name: "PUT stop of an unknown allocation: 404",
      request: `PUT /v1/allocation/${NOBODY}/stop`,
      expect: { status: 404, text: "allocation not found" },
    },
  ],
};

export default table;
