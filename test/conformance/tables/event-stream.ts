import type { Table } from "../row.ts";

const table: Table = {
  subject: "/v1/event/stream",
  rows: [
    {
      name: "an index that is none: 400",
      request: "GET /v1/event/stream?index=x",
      expect: { status: 400, text: /^Unable to parse index: / },
    },
    {
      name: "a topic with two keys: 400",
      request: "GET /v1/event/stream?topic=Job:a:b",
      expect: { status: 400, text: /^Invalid topic query: error parsing topics: Invalid key value pair for topic/ },
    },
    {
      name: "a region that is not there: 500",
      request: "GET /v1/event/stream?region=nowhere",
      expect: { status: 500, text: "No path to region" },
    },
    { name: "PUT: 405", request: "PUT /v1/event/stream", expect: { status: 405, text: "Invalid method" } },
    {
      name: "HEAD, the headers of a stream",
      request: "HEAD /v1/event/stream",
      expect: { headers: { "content-type": "application/json", "cache-control": "no-cache" }, text: "" },
      differs: "6.6",
    },
  ],
};

export default table;
