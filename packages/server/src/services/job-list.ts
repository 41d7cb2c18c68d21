import { type Service, SteppeError } from "@steppe/model";
import { type Job, type JobListStub, type JobsDefinition, QueryOptions } from "@steppe/proto";
import { type JobView, jobKey, type StateView } from "@steppe/state";
import { statusOf } from "./job-status.ts";
import { JOB_STATUSES, JOBS } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { jobStub } from "./stubs.ts";

/** The list of this region's jobs. */
export function createJobList(reader: Reader): Pick<Service<JobsDefinition>, "list" | "statuses"> {
  return {
    async list({ Query: query, Meta: wantsMeta }, call) {
      const wanted = inNamespace(query);
      const prefix = query?.Prefix ?? "";
      const isWanted = (job: Job) => wanted(job.Namespace) && job.ID.startsWith(prefix);
      const page = createPager(query, JOBS);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "summaries" }, (view) => {
        const index = Math.max(view.indexes.changedAt("jobs"), view.indexes.changedAt("summaries"));
        const views = new Map<Job, JobView>();
        const { items, next } = page(currentJobs(view, isWanted, views));
        const stubs = items.map((job) => stubOf(viewOf(views, job), wantsMeta));
        return { changedAt: index, index, value: { stubs, next } };
      });
      return { Jobs: value.stubs, Meta: { ...meta, NextToken: value.next } };
    },

    async statuses({ Query: given, Jobs, IncludeChildren }, call) {
      const query = { ...(given ?? QueryOptions.create()), Reverse: given?.Reverse !== true };
      const wanted = inNamespace(query);
      const named = new Set(Jobs.map(({ Namespace, ID }) => jobKey(Namespace || "default", ID)));
      const isWanted = (job: Job) =>
        named.size > 0 ? named.has(jobKey(job.Namespace, job.ID)) : wanted(job.Namespace) && isShown(job);
      const isShown = (job: Job) => IncludeChildren || job.ParentID === "";
      const page = createPager(query, JOB_STATUSES);
      const { value, meta } = await reader.read(query, call, { kind: "job-statuses", id: "" }, (view) => {
        const views = new Map<Job, JobView>();
        const { items, next } = page(currentJobs(view, isWanted, views));
        const found = items.map((job) => statusOf(view, viewOf(views, job)));
        // Of what is on the page, so that a change elsewhere wakes nobody; a job that left the page is not on it.
        const left = query.Filter === "" ? view.indexes.deletedAt("jobs") : view.indexes.changedAt("jobs");
        const index = found.reduce((latest, { index }) => Math.max(latest, index), left);
        return { changedAt: index, index, value: { jobs: found.map(({ status }) => status), next } };
      });
      return { Jobs: value.jobs, Meta: { ...meta, NextToken: value.next } };
    },
  };
}

/** Notes in `views` whose each one is: to look it up again by its name is the dearest part of a long list. */
export function* currentJobs(
  view: StateView,
  isWanted: (job: Job) => boolean,
  views?: Map<Job, JobView>,
): Generator<Job> {
  for (const it of view.jobs.byKey.values()) {
    const { job } = it;
    if (!isWanted(job)) continue;
    views?.set(job, it);
    yield job;
  }
}

function stubOf(job: JobView, wantsMeta: boolean): JobListStub {
  const stub = jobStub(job);
  return wantsMeta ? { ...stub, Meta: job.job.Meta } : stub;
}

function viewOf(views: ReadonlyMap<Job, JobView>, job: Job): JobView {
  const found = views.get(job);
  if (found === undefined) throw new SteppeError("internal", `job ${job.ID} is listed and not there`);
  return found;
}
