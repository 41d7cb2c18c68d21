import { registered } from "../jobs.ts";
import type { Table } from "../row.ts";
import { a, JSON_BODY, READ_HEADERS } from "../values.ts";

const table: Table = {
  subject: "/v1/search",
  rows: [
    {
      name: "prefix of a job's ID",
      given: [registered()],
      request: { line: "PUT /v1/search", body: { Prefix: "$id", Context: "jobs" } },
      expect: {
        body: { Matches: { jobs: ["$id"] }, Truncations: { jobs: false }, Index: a.number },
        headers: { ...JSON_BODY, ...READ_HEADERS },
      },
    },
    {
      name: "prefix in every context",
      given: [registered()],
      request: { line: "POST /v1/search", body: { Prefix: "$eval", Context: "all" } },
      expect: { body: { Matches: { evals: ["$eval"] } } },
    },
    {
      name: "fuzzy, a job's name",
      given: [registered()],
      request: { line: "PUT /v1/search/fuzzy", body: { Text: "$id", Context: "jobs" } },
      expect: { body: { Matches: { jobs: [{ ID: "$id", Scope: ["default", "$id"] }] } } },
    },
    { name: "GET: 405", request: "GET /v1/search", expect: { status: 405, text: "Invalid method" } },
  ],
};

export default table;
