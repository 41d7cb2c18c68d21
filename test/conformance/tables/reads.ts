import { RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Row, Table } from "../row.ts";
import { JSON_BODY, READ_HEADERS } from "../values.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** Reads of jobs and what comes of them: each takes what every read takes, and refuses it alike. */
const READS = [
  ...["jobs", "jobs/statuses", "evaluations", "evaluations/count", "allocations", "deployments", "nodes"],
  ...["job/$id", "job/$id/allocations", "job/$id/evaluations", "job/$id/summary", "job/$id/versions"],
  ...["job/$id/deployments", "job/$id/deployment", "job/$id/scale", "job/$id/services", "job/$id/actions"],
  ...[`evaluation/${NOBODY}`, `evaluation/${NOBODY}/allocations`, `allocation/${NOBODY}`, "services", "service/$id"],
  ...[
    `deployment/${NOBODY}`,
    `deployment/allocations/${NOBODY}`,
    "scaling/policies",
    "namespaces",
    "namespace/default",
  ],
  ...["node/pools", "node/pool/default", "node/pool/default/nodes", "node/pool/default/jobs", "node/$node"],
] as const;

/** Reads of lists that take a filter expression. */
const FILTERED = [
  ...["jobs", "evaluations", "allocations", "deployments", "services", "nodes", "namespaces", "node/pools"],
] as const;

const BAD: readonly [query: string, text: string][] = [
  ["index=x", "Invalid index"],
  ["wait=5", "Invalid wait time"],
  ["stale=maybe", "Expect `true` or `false` for `stale` query string parameter"],
  ["per_page=x", "Expect a number for `per_page` query string parameter"],
];

/** Given and empty: as good as not given. */
const EMPTY = "prefix=&filter=&next_token=&per_page=&reverse=&index=&wait=&stale=&namespace=&region=&nothing=";

const table: Table = {
  subject: "every read",
  rows: [
    ...READS.flatMap((path) =>
      BAD.map(
        ([query, text]): Row => ({
          name: `GET ${path}?${query}: 400`,
          request: `GET /v1/${path}?${query}`,
          expect: { status: 400, text },
        }),
      ),
    ),
    ...READS.map(
      (path): Row => ({
        name: `GET ${path} of an unknown region: 500`,
        request: `GET /v1/${path}?region=nowhere`,
        expect: { status: 500, text: "No path to region" },
      }),
    ),
    ...READS.filter((path) => path.startsWith("job/") || !/[/]/.test(path)).map(
      (path): Row => ({
        name: `GET ${path} with empty and unknown parameters, as without`,
        given: [registered()],
        request: `GET /v1/${path}?${EMPTY}`,
        expect: { headers: { ...JSON_BODY, ...READ_HEADERS } },
      }),
    ),
    ...FILTERED.map(
      (path): Row => ({
        name: `GET ${path} with a filter that is no expression: 400`,
        request: `GET /v1/${path}?filter=%21%21`,
        expect: { status: 400, text: /^failed to .*filter/s },
      }),
    ),
    {
      name: "GET evaluations by job and by filter at once: 400",
      request: "GET /v1/evaluations?job=$id&filter=ID+is+not+empty",
      expect: { status: 400, text: "Filter expression cannot be used with other filter parameters" },
    },
    {
      name: "GET an evaluation with those related to it",
      given: [registered(sleeperJob()), RUNNING],
      request: "GET /v1/evaluation/$eval?related=true",
      expect: { body: { ID: "$eval" } },
    },
  ],
};

export default table;
