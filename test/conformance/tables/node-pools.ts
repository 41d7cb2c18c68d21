import type { Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS, WRITE_HEADERS } from "../values.ts";

const made = { line: "PUT /v1/node/pools", body: { Name: "$id", Description: "d", Meta: { a: "b" } } } as const;

const table: Table = {
  subject: "/v1/node/pools and /v1/node/pool/:name",
  rows: [
    {
      name: "GET list, the built-in ones are there",
      request: "GET /v1/node/pools?prefix=all",
      expect: {
        body: [{ Name: "all", Description: "Node pool with all nodes in the cluster." }],
        headers: { ...JSON_BODY, ...READ_HEADERS },
      },
    },
    { name: "PUT a new one, no body", request: made, expect: { text: "", headers: WRITE_HEADERS } },
    {
      name: "GET one",
      given: [made],
      request: "GET /v1/node/pool/$id",
      expect: {
        body: { Name: "$id", Description: "d", Meta: { a: "b" }, CreateIndex: a.number },
        headers: READ_HEADERS,
      },
    },
    { name: "GET its nodes", given: [made], request: "GET /v1/node/pool/$id/nodes", expect: { body: [] } },
    { name: "GET its jobs", given: [made], request: "GET /v1/node/pool/$id/jobs", expect: { body: [] } },
    { name: "GET nodes of all", request: "GET /v1/node/pool/all/nodes", expect: { fields: ["ID", "NodePool"] } },
    { name: "DELETE one", given: [made], request: "DELETE /v1/node/pool/$id", expect: { text: "" } },
    {
      name: "GET an unknown one: 404",
      request: "GET /v1/node/pool/$id",
      expect: { status: 404, text: "node pool not found", headers: READ_HEADERS },
    },
    {
      name: "PUT a built-in one: 400",
      request: { line: "PUT /v1/node/pools", body: { Name: "default" } },
      expect: { status: 400, text: /modifying node pool "default" is not allowed$/ },
    },
    {
      name: "PUT another name than the path's: 400",
      request: { line: "PUT /v1/node/pool/$id", body: { Name: "other" } },
      expect: { status: 400, text: "Node pool name does not match request path" },
    },
  ],
};

export default table;
