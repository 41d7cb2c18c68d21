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
    {
      name: "a context that is none: 400",
      request: { line: "PUT /v1/search", body: { Prefix: "a", Context: "x" } },
      expect: { status: 400, text: /x/ },
      differs: "6.1",
    },
    {
      name: "fuzzy, too short a text: 500",
      request: { line: "PUT /v1/search/fuzzy", body: { Text: "a" } },
      expect: { status: 500, text: "fuzzy search query must be at least 2 characters, got 1" },
    },
    {
      name: "fuzzy in every context finds an evaluation by how its ID begins",
      given: [registered()],
      request: { line: "PUT /v1/search/fuzzy", body: { Text: "$eval", Context: "all" } },
      expect: { body: { Matches: { evals: [{ ID: "$eval" }] } } },
    },
    {
      name: "a region that is not there: 500",
      request: { line: "PUT /v1/search?region=nowhere", body: { Prefix: "a" } },
      expect: { status: 500, text: "No path to region" },
    },
    {
      name: "no body: 400",
      request: "PUT /v1/search",
      expect: { status: 400, text: "Request body is empty" },
    },
    { name: "GET: 405", request: "GET /v1/search", expect: { status: 405, text: "Invalid method" } },
  ],
};

export default table;
