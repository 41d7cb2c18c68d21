import type { Row, Table } from "../row.ts";
import { JSON_BODY, READ_HEADERS, WRITE_HEADERS } from "../values.ts";

const made = { line: "PUT /v1/namespace", body: { Name: "$id", Description: "d", Meta: { a: "b" } } } as const;

const table: Table = {
  subject: "/v1/namespaces and /v1/namespace/:name",
  rows: [
    {
      name: "GET list, the default one is there",
      request: "GET /v1/namespaces?prefix=default",
      expect: { body: [{ Name: "default" }], headers: { ...JSON_BODY, ...READ_HEADERS } },
    },
    { name: "PUT a new one, no body", request: made, expect: { text: "", headers: WRITE_HEADERS } },
    {
      name: "GET one",
      given: [made],
      request: "GET /v1/namespace/$id",
      expect: {
        body: { Name: "$id", Description: "d", Meta: { a: "b" } },
        fields: ["Quota", "Capabilities", "NodePoolConfiguration", "CreateIndex", "ModifyIndex"],
        headers: READ_HEADERS,
      },
    },
    { name: "DELETE one", given: [made], request: "DELETE /v1/namespace/$id", expect: { text: "" } },
    {
      name: "GET an unknown one: 404",
      request: "GET /v1/namespace/$id",
      expect: { status: 404, text: "Namespace not found", headers: READ_HEADERS },
    },
    {
      name: "DELETE the default one: 500",
      request: "DELETE /v1/namespace/default",
      expect: { status: 500, text: /can not delete default namespace$/ },
    },
    {
      name: "PUT a name that is none: 500",
      request: { line: "PUT /v1/namespace", body: { Name: "a b" } },
      expect: { status: 500, text: /Invalid namespace "a b": 1 error occurred:\n\t\* invalid name "a b"\. Must match/ },
    },
    {
      name: "PUT another name than the path's: 400",
      request: { line: "PUT /v1/namespace/$id", body: { Name: "other" } },
      expect: { status: 400, text: "Namespace name does not match request path" },
    },
    ...(["GET", "PUT", "DELETE"] as const).map(
      (method): Row => ({
        name: `${method} without a name: 400`,
        request: `${method} /v1/namespace/`,
        expect: { status: 400, text: "Missing Namespace Name" },
      }),
    ),
  ],
};

export default table;
