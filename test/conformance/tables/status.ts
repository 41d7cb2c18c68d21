import type { Table } from "../row.ts";
import { a, JSON_BODY } from "../values.ts";

const table: Table = {
  subject: "/v1/status/* and /v1/regions",
  rows: [
    {
      name: "GET leader, an address as a JSON text",
      request: "GET /v1/status/leader",
      expect: { body: a.address, headers: JSON_BODY },
    },
    {
      name: "GET peers, a list of addresses",
      request: "GET /v1/status/peers",
      expect: { body: [a.address], headers: JSON_BODY },
    },
    {
      name: "GET leader of an unknown region: 500",
      request: "GET /v1/status/leader?region=nowhere",
      expect: { status: 500, text: "No path to region" },
    },
    {
      name: "GET regions, sorted names",
      request: "GET /v1/regions",
      expect: { body: ["$region"], headers: JSON_BODY },
    },
  ],
};

export default table;
