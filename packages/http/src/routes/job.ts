import { listToJson, SteppeError, toJson } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { jobJson, jobPayload } from "../reply/job-payload.ts";
import { metaFields } from "../reply/meta.ts";
import { parseBool } from "../request/params.ts";
import { queryOptions } from "../request/query-options.ts";
import { put, type Resource } from "../resource.ts";
import { notUpgraded } from "./client.ts";
import { deregister } from "./deregister.ts";
import { evaluate } from "./evaluate.ts";
import { dispatch, dispatchPayload } from "./job-dispatch.ts";
import { scale, scaleStatus } from "./job-scale.ts";
import { actions, submission } from "./job-source.ts";
import { tagVersion, untagVersion } from "./job-tag.ts";
import { markStable, revert } from "./job-versions.ts";
import { forcePeriodic } from "./periodic-force.ts";
import { plan } from "./plan.ts";
import { register } from "./register.ts";
import { servicesOfJob } from "./services.ts";

/** Rows in the order in which the API matches them. */
export const jobResource: Resource = {
  path: "/v1/job/",
  suffixes: [
    { suffix: "/evaluate", methods: put(evaluate) },
    { suffix: "/allocations", methods: { GET: allocations } },
    { suffix: "/evaluations", methods: { GET: evaluations } },
    { suffix: "/periodic/force", methods: put(forcePeriodic) },
    { suffix: "/plan", methods: put(plan) },
    { suffix: "/summary", methods: { GET: summary } },
    { suffix: "/dispatch", methods: put(dispatch) },
    { suffix: "/dispatch/payload", methods: put(dispatchPayload) },
    { suffix: "/versions", methods: { GET: versions } },
    { suffix: "/revert", methods: put(revert) },
    { suffix: "/deployments", methods: { GET: deployments } },
    { suffix: "/deployment", methods: { GET: latestDeployment } },
    { suffix: "/stable", methods: put(markStable) },
    { suffix: "/scale", methods: { GET: scaleStatus, ...put(scale) } },
    { suffix: "/services", methods: { GET: servicesOfJob } },
    { suffix: "/submission", methods: { GET: submission } },
    { suffix: "/actions", methods: { GET: actions } },
    { suffix: "/action", methods: { GET: notUpgraded } },
    { suffix: "/tag", methods: { ...put(tagVersion), DELETE: untagVersion } },
    { suffix: "", methods: { GET: job, PUT: register, POST: register, DELETE: deregister } },
  ],
};

async function job(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Job, Meta } = await exchange.services(Query.Region).jobs.get({ Query, JobID: id }, exchange);
  exchange.meta(Meta);
  if (Job === undefined) throw new SteppeError("not-found", "job not found");
  return exchange.json(jobPayload(Job));
}

async function allocations(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const All = parseBool(exchange.params.all ?? "") ?? false;
  const { jobs } = exchange.services(Query.Region);
  const { Allocations, Meta } = await jobs.allocations({ Query, JobID: id, All }, exchange);
  exchange.meta(Meta);
  return exchange.list("AllocListStub", Allocations);
}

async function evaluations(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Evaluations, Meta } = await exchange.services(Query.Region).jobs.evaluations({ Query, JobID: id }, exchange);
  exchange.meta(Meta);
  return exchange.list("Evaluation", Evaluations);
}

async function deployments(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const All = parseBool(exchange.params.all ?? "") ?? false;
  const { jobs } = exchange.services(Query.Region);
  const { Deployments, Meta } = await jobs.deployments({ Query, JobID: id, All }, exchange);
  exchange.meta(Meta);
  return exchange.list("Deployment", Deployments);
}

/** Of a job that never had one, and of an unknown job, null. */
async function latestDeployment(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { jobs } = exchange.services(Query.Region);
  const { Deployment, Meta } = await jobs.latestDeployment({ Query, JobID: id }, exchange);
  exchange.meta(Meta);
  return exchange.json(Deployment === undefined ? "null" : toJson("Deployment", Deployment));
}

async function summary(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { Summary, Meta } = await exchange.services(Query.Region).jobs.summary({ Query, JobID: id }, exchange);
  exchange.meta(Meta);
  if (Summary === undefined) throw new SteppeError("not-found", "job not found");
  return exchange.json(toJson("JobSummary", Summary));
}

async function versions(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { params } = exchange;
  const request = {
    ...{ Query, JobID: id, Diffs: diffsParam(params.diffs ?? ""), DiffTag: params.diff_tag ?? "" },
    DiffVersion: versionParam(params.diff_version),
  };
  const { Versions, Diffs, Meta } = await exchange.services(Query.Region).jobs.versions(request, exchange);
  exchange.meta(Meta);
  if (Versions.length === 0) throw new SteppeError("not-found", "job versions not found");
  const diffs = Diffs.length === 0 ? "null" : listToJson("JobDiff", Diffs);
  return exchange.json(`{"Versions":[${Versions.map(jobJson).join(",")}],"Diffs":${diffs},${metaFields(Meta)}}`);
}

function versionParam(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const version = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(version)) return version;
  const cause = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("invalid", `Failed to parse value of "diff_version" (${text}) as a uint64: ${cause}`);
}

function diffsParam(text: string): boolean {
  const value = text === "" ? false : parseBool(text);
  if (value !== undefined) return value;
  const cause = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new SteppeError("refused", `Failed to parse value of "diffs" (${text}) as a bool: ${cause}`);
}
