import { idleJob, registered } from "../jobs.ts";
import type { Row, Table } from "../row.ts";
import { JSON_BODY, READ_HEADERS, TEXT_BODY } from "../values.ts";

const refused: readonly [query: string, text: string][] = [
  ["index=x", "Invalid index"],
  ["index=-1", "Invalid index"],
  ["wait=5", "Invalid wait time"],
  ["wait=soon&index=x", "Invalid wait time"],
  ["stale=maybe", "Expect `true` or `false` for `stale` query string parameter"],
  ["per_page=many", "Expect a number for `per_page` query string parameter"],
];

const wrongMethods: readonly Row["request"][] = [
  "DELETE /v1/jobs",
  "PATCH /v1/jobs",
  "POST /v1/nodes",
  "PUT /v1/evaluations",
  "DELETE /v1/allocations",
  "POST /v1/job/$id/allocations",
  "GET /v1/job/$id/evaluate",
  "GET /v1/job/$id/plan",
  "DELETE /v1/regions",
  "PUT /v1/status/leader",
];

/** Routes that read, in this half of the API; all look at the same parameters before they look at anything. */
const reads: readonly Row["request"][] = [
  "GET /v1/nodes",
  "GET /v1/node/$node",
  "GET /v1/node/$node/allocations",
  "GET /v1/node/pools",
  "GET /v1/node/pool/default",
  "GET /v1/node/pool/default/nodes",
  "GET /v1/node/pool/default/jobs",
  "GET /v1/namespaces",
  "GET /v1/namespace/default",
  "GET /v1/vars",
  "GET /v1/var/none",
  "GET /v1/operator/scheduler/configuration",
  "GET /v1/operator/autopilot/configuration",
  "GET /v1/operator/raft/configuration",
  "GET /v1/operator/snapshot",
  "GET /v1/event/stream",
];

const table: Table = {
  subject: "every route",
  rows: [
    { name: "an unknown path: 404 with an empty body", request: "GET /v1/nothing", expect: { status: 404, text: "" } },
    ...refused.map(
      ([query, text]): Row => ({
        name: `?${query}: 400`,
        request: `GET /v1/jobs?${query}`,
        expect: { status: 400, text, headers: TEXT_BODY },
      }),
    ),
    ...reads.flatMap((request) => [
      {
        name: `${request} with a stale that is no bool: 400`,
        request: `${request}?stale=maybe` as `GET /${string}`,
        expect: {
          status: 400,
          text: "Expect `true` or `false` for `stale` query string parameter",
          headers: TEXT_BODY,
        },
      },
      {
        name: `${request} of a region that is not there: 500`,
        request: `${request}?region=nowhere` as `GET /${string}`,
        expect: { status: 500, text: "No path to region", headers: TEXT_BODY },
      },
    ]),
    ...wrongMethods.map(
      (request): Row => ({ name: `${request}: 405`, request, expect: { status: 405, text: "Invalid method" } }),
    ),
    {
      name: "an unknown region: 500",
      request: "GET /v1/jobs?region=nowhere",
      expect: { status: 500, text: "No path to region", headers: TEXT_BODY },
    },
    {
      name: "own region by name, answers as without",
      request: "GET /v1/jobs?region=$region",
      expect: { headers: { ...JSON_BODY, ...READ_HEADERS } },
    },
    {
      name: "unknown query parameters, ignored",
      request: "GET /v1/regions?nothing=1&nothing=2",
      expect: { headers: JSON_BODY },
    },
    {
      name: "?pretty, indented by four with a line end",
      request: "GET /v1/status/peers?pretty",
      expect: { text: /^\[\n {4}"[^"]+"\n\]\n$/, headers: JSON_BODY },
    },
    {
      name: "HTML characters in a reply, not escaped",
      given: [registered({ ...idleJob(), Meta: { a: "<b>&" } })],
      request: "GET /v1/job/$id",
      expect: { body: { Meta: { a: "<b>&" } } },
    },
    {
      name: "gzip accepted, packed",
      request: { line: "GET /v1/jobs", headers: { "accept-encoding": "gzip" } },
      expect: { headers: { "content-encoding": "gzip", vary: /Accept-Encoding/ } },
    },
    {
      name: "deflate accepted, packed",
      request: { line: "GET /v1/nodes", headers: { "accept-encoding": "deflate" } },
      expect: { headers: { "content-encoding": "deflate", vary: /Accept-Encoding/ } },
    },
    {
      name: "HEAD where GET is served, the same headers and no body",
      request: "HEAD /v1/jobs",
      expect: { text: "", headers: { ...JSON_BODY, ...READ_HEADERS } },
      differs: "6.6",
    },
    {
      name: "OPTIONS, tells what may be asked",
      request: "OPTIONS /v1/jobs",
      expect: { status: 204, text: "", headers: { allow: "GET, PUT, POST, HEAD, OPTIONS" } },
      differs: "issue 4: OPTIONS on every route",
    },
    {
      name: "a blocking query with an index of the past, answers at once",
      given: [registered()],
      request: "GET /v1/job/$id?index=1&wait=10s",
      expect: { body: { ID: "$id" }, headers: READ_HEADERS },
    },
    {
      name: "a blocking query with nothing new, answers 200 when its time is up",
      given: [registered()],
      request: "GET /v1/job/$id/deployments?index=1000000&wait=10ms",
      expect: { headers: READ_HEADERS },
    },
  ],
};

export default table;
