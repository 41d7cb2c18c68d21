import type { Service } from "@steppe/model";
import { type Job, type JobsDefinition, QueryOptions } from "@steppe/proto";
import { type JobView, jobKey } from "@steppe/state";
import { statusOf } from "./job-status.ts";
import { JobsInOrder } from "./jobs-in-order.ts";
import { JOB_STATUSES, JOBS } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { JobRow } from "./stubs.ts";

/** The list of this region's jobs. */
export function createJobList(reader: Reader): Pick<Service<JobsDefinition>, "list" | "statuses"> {
  const inOrder = new JobsInOrder();
  return {
    async list({ Query: query, Meta: wantsMeta }, call) {
      const wanted = inNamespace(query);
      const prefix = query?.Prefix ?? "";
      const isWanted = ({ job }: JobView) => wanted(job.Namespace) && job.ID.startsWith(prefix);
      const page = createPager(query, JOBS);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "summaries" }, (view) => {
        const index = Math.max(view.indexes.changedAt("jobs"), view.indexes.changedAt("summaries"));
        const { items, next } = page(inOrder.of(view), isWanted, "sorted");
        const rows = items.map((job) => new JobRow(job, wantsMeta));
        return { changedAt: index, index, value: { rows, next } };
      });
      return { Jobs: value.rows, Meta: { ...meta, NextToken: value.next } };
    },

    async statuses({ Query: given, Jobs, IncludeChildren }, call) {
      const query = { ...(given ?? QueryOptions.create()), Reverse: given?.Reverse !== true };
      const wanted = inNamespace(query);
      const named = new Set(Jobs.map(({ Namespace, ID }) => jobKey(Namespace || "default", ID)));
      const isWanted = ({ job }: JobView) =>
        named.size > 0 ? named.has(jobKey(job.Namespace, job.ID)) : wanted(job.Namespace) && isShown(job);
      const isShown = (job: Job) => IncludeChildren || job.ParentID === "";
      const page = createPager(query, JOB_STATUSES);
      const { value, meta } = await reader.read(query, call, { kind: "job-statuses", id: "" }, (view) => {
        const { items, next } = page(view.jobs.byKey.values(), isWanted);
        const found = items.map((job) => statusOf(view, job));
        // Of what is on the page, so that a change elsewhere wakes nobody; a job that left the page is not on it.
        const left = query.Filter === "" ? view.indexes.deletedAt("jobs") : view.indexes.changedAt("jobs");
        const index = found.reduce((latest, { index }) => Math.max(latest, index), left);
        return { changedAt: index, index, value: { jobs: found.map(({ status }) => status), next } };
      });
      return { Jobs: value.jobs, Meta: { ...meta, NextToken: value.next } };
    },
  };
}
