import { idleJob, RUNNING, registered, sleeperJob } from "../jobs.ts";
import type { Request, RequestLine, Row, Table } from "../row.ts";

const NOBODY = "00000000-0000-0000-0000-000000000000";

type Refusal = readonly [line: RequestLine, body: unknown, status: number, text: string | RegExp];

const bool = (name: string) =>
  `Failed to parse value of "${name}" (x) as a bool: strconv.ParseBool: parsing "x": invalid syntax`;

/** Every write that needs a body and has none. */
const NEED_A_BODY: readonly RequestLine[] = [
  ...([
    "PUT /v1/jobs",
    "PUT /v1/job/$id",
    "PUT /v1/jobs/parse",
    "PUT /v1/validate/job",
    "PUT /v1/job/$id/plan",
  ] as const),
  ...(["PUT /v1/job/$id/dispatch", "PUT /v1/job/$id/revert", "PUT /v1/job/$id/stable"] as const),
  ...(["PUT /v1/job/$id/scale", "PUT /v1/job/$id/versions/t/tag", "DELETE /v1/evaluations"] as const),
  `PUT /v1/deployment/pause/${NOBODY}`,
  `PUT /v1/deployment/promote/${NOBODY}`,
  `PUT /v1/deployment/allocation-health/${NOBODY}`,
  ...(["PUT /v1/namespace", "PUT /v1/namespace/x", "PUT /v1/node/pools", "PUT /v1/node/$node/eligibility"] as const),
];

/** Of a job that is there, `$id`. */
const OF_A_JOB: readonly Refusal[] = [
  ["PUT /v1/job/$id/evaluate", { JobID: "other" }, 400, "JobID not same as job name"],
  ["PUT /v1/job/$id/evaluate", {}, 400, "Job ID must be specified"],
  ["PUT /v1/job/$id/periodic/force", undefined, 500, "can't force launch non-periodic job"],
  ["PUT /v1/job/$id/plan", {}, 400, "Job must be specified"],
  ["PUT /v1/job/$id/plan", { Job: {} }, 400, "Job must have a valid ID"],
  ["PUT /v1/job/$id/plan", { Job: { ID: "other" } }, 400, "Job ID does not match"],
  ["PUT /v1/job/$id/dispatch", {}, 500, /^Specified job ".+" is not a parameterized job$/],
  ["PUT /v1/job/$id/dispatch", { JobID: "other" }, 400, "Job ID does not match"],
  ["PUT /v1/job/$id/revert", {}, 400, "JobID must be specified"],
  ["PUT /v1/job/$id/revert", { JobID: "other" }, 400, "Job ID does not match"],
  ["PUT /v1/job/$id/revert", { JobID: "$id", JobVersion: 0 }, 500, "can't revert to current version"],
  [
    "PUT /v1/job/$id/revert",
    { JobID: "$id", JobVersion: 7 },
    500,
    /^job ".+" in namespace "default" at version 7 not found$/,
  ],
  ["PUT /v1/job/$id/stable", {}, 400, "JobID must be specified"],
  ["PUT /v1/job/$id/stable", { JobID: "other" }, 400, "Job ID does not match"],
  ["PUT /v1/job/$id/scale", {}, 400, "missing task group name for scaling action"],
  ["PUT /v1/job/$id/scale", { Count: -1, Target: { Group: "group" } }, 400, "scaling action count can't be negative"],
  [
    "PUT /v1/job/$id/scale",
    { Count: 1, Target: { Group: "other" } },
    400,
    'task group "other" specified for scaling does not exist in job',
  ],
  [
    "PUT /v1/job/$id/scale",
    { Count: 2, Error: true, Target: { Group: "group" } },
    400,
    "scaling action should not contain count if error is true",
  ],
  ["GET /v1/job/$id/versions?diffs=x", undefined, 500, bool("diffs")],
  ["GET /v1/job/$id/versions?diffs=true&diff_version=9", undefined, 404, "version 9 not found"],
  [
    "GET /v1/job/$id/versions?diffs=true&diff_version=x",
    undefined,
    400,
    /^Failed to parse value of "diff_version" \(x\) as a uint64/,
  ],
  ["GET /v1/job/$id/versions?diffs=true&diff_tag=none", undefined, 404, 'tag "none" not found'],
  ["PUT /v1/job/$id/versions/t/tag", { Version: 9 }, 404, /^job ".+" version 9 not found$/],
  ["PUT /v1/job/$id/versions/t/more/tag", { Version: 0 }, 404, "invalid job tag endpoint"],
  ["DELETE /v1/job/$id/versions/none/tag", undefined, 404, /^tag "none" not found on job ".+"$/],
  ["GET /v1/job/$id/submission", undefined, 400, "Unable to parse job submission version parameter"],
  ["GET /v1/job/$id/submission?version=x", undefined, 400, "Unable to parse job submission version parameter"],
  ["GET /v1/job/$id/action", undefined, 400, /^failed to upgrade connection: websocket: /],
  ["DELETE /v1/job/$id?purge=x", undefined, 500, bool("purge")],
  ["DELETE /v1/job/$id?global=x", undefined, 500, bool("global")],
  ["DELETE /v1/job/$id?eval_priority=x", undefined, 500, /^Failed to parse value of "eval_priority" \(x\) as a int/],
  ["DELETE /v1/job/$id?eval_priority=101", undefined, 400, "Eval priority must be between 1 and 100 inclusively"],
];

/** Of things that are not there. */
const OF_NOTHING: readonly Refusal[] = [
  ["PUT /v1/jobs", {}, 400, "Job must be specified"],
  ["PUT /v1/jobs", { Job: {} }, 400, "Job ID hasn't been provided"],
  ["PUT /v1/job/other", { Job: { ID: "$id" } }, 400, "Job ID does not match name"],
  ["PUT /v1/jobs", { Job: idleJob(), EvalPriority: 200 }, 400, "Eval priority must be between 1 and 100 inclusively"],
  ["GET /v1/job/", undefined, 404, "job not found"],
  ["GET /v1/job//allocations", undefined, 500, "missing job ID"],
  ["DELETE /v1/job/", undefined, 500, "missing job ID for deregistering"],
  ["PUT /v1/job//evaluate", undefined, 500, "missing job ID for evaluation"],
  ["PUT /v1/job/$id/evaluate", undefined, 500, "job not found"],
  ["PUT /v1/job/$id/periodic/force", undefined, 500, "job not found"],
  ["PUT /v1/job/$id/dispatch", {}, 500, "parameterized job not found"],
  ["GET /v1/job/$id/versions", undefined, 404, "job versions not found"],
  ["GET /v1/job/$id/scale", undefined, 404, "job not found"],
  ["GET /v1/job/$id/services", undefined, 404, "job not found"],
  ["PUT /v1/validate/job", {}, 400, "Job must be specified"],
  ["PUT /v1/jobs/parse", { JobHCL: "x" }, 400, /^Failed to parse job: /],
  ["PUT /v1/jobs/parse", { JobHCL: '{"job": 5}' }, 400, /^Failed to parse job: /],
  ["DELETE /v1/evaluations", {}, 400, "evals must be deleted by either ID or filter"],
  [
    "DELETE /v1/evaluations",
    { EvalIDs: [NOBODY], Filter: "ID is empty" },
    400,
    "evals cannot be deleted by both ID and filter",
  ],
  ["GET /v1/allocations?resources=x", undefined, 500, bool("resources")],
  ["GET /v1/allocations?task_states=x", undefined, 500, bool("task_states")],
  [`GET /v1/allocation/${NOBODY}/services`, undefined, 404, "alloc not found"],
  [`GET /v1/allocation/${NOBODY}/checks`, undefined, 404, /^Unknown allocation/],
  [`GET /v1/client/allocation/${NOBODY}/checks`, undefined, 404, /^Unknown allocation/],
  [`GET /v1/client/allocation/${NOBODY}/pause?task=t`, undefined, 404, /^Unknown allocation/],
  [`PUT /v1/client/allocation/${NOBODY}/signal`, undefined, 400, "Failed to decode body: Request body is empty"],
  [`GET /v1/deployment/${NOBODY}`, undefined, 404, "deployment not found"],
  [`PUT /v1/deployment/pause/${NOBODY}`, {}, 400, "DeploymentID must be specified"],
  [`PUT /v1/deployment/pause/${NOBODY}`, { DeploymentID: "other" }, 400, "Deployment ID does not match"],
  ["GET /v1/scaling/policy/none", undefined, 404, "policy not found"],
  ["GET /v1/service/$id?choose=x", undefined, 400, "Parameter for choose must be in form '<number>|<key>'"],
  ["DELETE /v1/service/$id/none", undefined, 404, "service registration not found"],
  ["POST /v1/system/gc", undefined, 405, "Invalid method"],
];

/** Of an allocation that runs, `$alloc`. */
const OF_AN_ALLOCATION: readonly Refusal[] = [
  ["PUT /v1/allocation/$alloc/stop?no_shutdown_delay=x", undefined, 500, bool("no_shutdown_delay")],
  ["PUT /v1/client/allocation/$alloc/restart", { TaskName: "none" }, 500, /[Cc]ould not find task/],
  [
    "PUT /v1/client/allocation/$alloc/restart",
    { TaskName: "task", AllTasks: true },
    500,
    "can't restart all tasks when task name is set",
  ],
  ["GET /v1/client/allocation/$alloc/pause?task=task", undefined, 500, "Enterprise only"],
  ["GET /v1/client/allocation/$alloc/none", undefined, 404, "resource not found"],
  [
    "GET /v1/client/fs/logs/$alloc?task=task&type=stdout&follow=x",
    undefined,
    400,
    'failed to parse follow field to boolean: strconv.ParseBool: parsing "x": invalid syntax',
  ],
  ["GET /v1/client/fs/readat/$alloc?path=alloc&offset=x", undefined, 400, /^error parsing offset: /],
];

const rowOf =
  (given: Row["given"]) =>
  ([line, body, status, text]: Refusal): Row => {
    const request: Request = body === undefined ? { line } : { line, body };
    const what = body === undefined ? line : `${line} ${JSON.stringify(body).slice(0, 60)}`;
    return { name: `${what}: ${status}`, ...(given && { given }), request, expect: { status, text } };
  };

const table: Table = {
  subject: "what is refused, with its text",
  rows: [
    ...NEED_A_BODY.map(
      (line): Row => ({
        name: `${line} without a body: 400`,
        request: line,
        expect: { status: 400, text: "Request body is empty" },
      }),
    ),
    ...OF_A_JOB.map(rowOf([registered()])),
    ...OF_NOTHING.map(rowOf(undefined)),
    ...OF_AN_ALLOCATION.map(rowOf([registered(sleeperJob()), RUNNING])),
  ],
};

export default table;
