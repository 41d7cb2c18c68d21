import { type Service, SteppeError } from "@steppe/model";
import type { Job, JobListStub, JobsDefinition } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import { JOBS } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { jobStub } from "./stubs.ts";

/** The list of this region's jobs. */
export function createJobList(reader: Reader): Pick<Service<JobsDefinition>, "list"> {
  return {
    async list({ Query: query, Meta: wantsMeta }, call) {
      const wanted = inNamespace(query);
      const prefix = query?.Prefix ?? "";
      const page = createPager(query, JOBS);
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "summaries" }, (view) => {
        const index = Math.max(view.indexes.changedAt("jobs"), view.indexes.changedAt("summaries"));
        const { items, next } = page(currentJobs(view), (job) => wanted(job.Namespace) && job.ID.startsWith(prefix));
        const stubs = items.map((job) => stubOf(view, job, wantsMeta));
        return { changedAt: index, index, value: { stubs, next } };
      });
      return { Jobs: value.stubs, Meta: { ...meta, NextToken: value.next } };
    },
  };
}

export function* currentJobs(view: StateView): Generator<Job> {
  for (const { job } of view.jobs.byKey.values()) yield job;
}

function stubOf(view: StateView, job: Job, wantsMeta: boolean): JobListStub {
  const found = view.jobs.get(job.Namespace, job.ID);
  if (found === undefined) throw new SteppeError("internal", `job ${job.ID} is listed and not there`);
  const stub = jobStub(found);
  return wantsMeta ? { ...stub, Meta: job.Meta } : stub;
}
