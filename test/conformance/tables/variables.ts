import type { Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS, WRITE_HEADERS } from "../values.ts";

const made = { line: "PUT /v1/var/$id", body: { Items: { key: "value" } }, save: { index: "ModifyIndex" } } as const;

const lock = { TTL: "20s", LockDelay: "1s" };
const held = {
  line: "PUT /v1/var/$id?lock-acquire",
  body: { Items: { key: "value" }, Lock: lock },
  save: { lock: "Lock.ID" },
} as const;

const table: Table = {
  subject: "/v1/vars and /v1/var/:path",
  rows: [
    {
      name: "PUT a new one, answers it",
      request: { line: "PUT /v1/var/$id/below", body: { Items: { key: "value" } } },
      expect: {
        body: { Namespace: "default", Path: "$id/below", Items: { key: "value" }, ModifyIndex: a.number },
        headers: WRITE_HEADERS,
      },
    },
    {
      name: "GET one",
      given: [made],
      request: "GET /v1/var/$id",
      expect: { body: { Path: "$id", Items: { key: "value" } }, headers: { ...JSON_BODY, ...READ_HEADERS } },
    },
    {
      name: "GET list by prefix",
      given: [made],
      request: "GET /v1/vars?prefix=$id",
      expect: { body: [{ Path: "$id", Namespace: "default" }], headers: READ_HEADERS },
    },
    { name: "DELETE one: 204", given: [made], request: "DELETE /v1/var/$id", expect: { status: 204, text: "" } },
    {
      name: "PUT ?cas of another index: 409 with the one that is there",
      given: [made],
      request: { line: "PUT /v1/var/$id?cas=1", body: { Items: { key: "new" } } },
      expect: { status: 409, body: { Path: "$id", Items: { key: "value" } } },
    },
    {
      name: "PUT ?cas of its index, is written",
      given: [made],
      request: { line: "PUT /v1/var/$id?cas=$index", body: { Items: { key: "new" } } },
      expect: { body: { Items: { key: "new" } } },
    },
    {
      name: "GET an unknown one: 404",
      request: "GET /v1/var/$id",
      expect: { status: 404, text: "variable not found", headers: READ_HEADERS },
    },
    {
      name: "PUT without items: 400",
      request: { line: "PUT /v1/var/$id", body: {} },
      expect: { status: 400, text: "variable missing required Items object" },
    },
    {
      name: "GET without a path: 400",
      request: "GET /v1/var/",
      expect: { status: 400, text: "missing variable path" },
    },
    {
      name: "PUT lock-acquire, answers the variable with its lock",
      request: held,
      expect: { body: { Path: "$id", Items: { key: "value" }, Lock: { ID: a.uuid, ...lock } }, headers: WRITE_HEADERS },
    },
    {
      name: "PUT lock-acquire of what is held: 409",
      given: [held],
      request: { line: "PUT /v1/var/$id?lock-acquire", body: { Lock: lock } },
      expect: { status: 409, body: { Path: "$id" } },
    },
    {
      name: "PUT of what is held, without its lock: 409",
      given: [held],
      request: { line: "PUT /v1/var/$id", body: { Items: { key: "other" } } },
      expect: { status: 409 },
    },
    {
      name: "PUT of what is held, with its lock",
      given: [held],
      request: { line: "PUT /v1/var/$id", body: { Items: { key: "other" }, Lock: { ID: "$lock" } } },
      expect: { body: { Items: { key: "other" } } },
    },
    {
      name: "PUT lock-renew, and then lock-release",
      given: [held, { line: "PUT /v1/var/$id?lock-renew", body: { Lock: { ID: "$lock" } } }],
      request: { line: "PUT /v1/var/$id?lock-release", body: { Lock: { ID: "$lock" } } },
      expect: { body: { Path: "$id" }, headers: WRITE_HEADERS },
    },
    {
      name: "PUT lock-acquire without a lock: 400",
      request: { line: "PUT /v1/var/$id?lock-acquire", body: { Items: { key: "value" } } },
      expect: { status: 400, text: "missing lock information" },
      differs: "6.3",
    },
  ],
};

export default table;
