import type { Service } from "@steppe/model";
import type { EvaluationsDefinition } from "@steppe/proto";
import { evaluationsListing } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { allocationStub, shownEvaluation } from "./stubs.ts";

/** Evaluations of this region. */
export function createEvaluations(reader: Reader): Service<EvaluationsDefinition> {
  return {
    async get(request, call) {
      const key = { kind: "evaluation", id: request.EvalID } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const evaluation = view.evaluations.get(request.EvalID);
        return {
          changedAt: evaluation?.ModifyIndex ?? view.indexes.deletedAt("evaluations"),
          index: evaluation?.ModifyIndex ?? view.indexes.changedAt("evaluations"),
          value: evaluation,
        };
      });
      return { Evaluation: value && shownEvaluation(value), Meta: meta };
    },

    async list(request, call) {
      const { Query: query, JobID, Status } = request;
      const wanted = inNamespace(query);
      const page = createPager(query, evaluationsListing(query));
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "evaluations" }, (view) => {
        const index = view.indexes.changedAt("evaluations");
        const found = page(
          view.evaluations.byId.values(),
          (it) =>
            wanted(it.Namespace) &&
            it.ID.startsWith(query?.Prefix ?? "") &&
            (JobID === "" || it.JobID === JobID) &&
            (Status === "" || it.Status === Status),
        );
        return { changedAt: index, index, value: found };
      });
      return { Evaluations: value.items.map(shownEvaluation), Meta: { ...meta, NextToken: value.next } };
    },

    async allocations(request, call) {
      const key = { kind: "evaluation-allocations", id: request.EvalID } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const evaluation = view.evaluations.get(request.EvalID);
        const job = evaluation && view.jobs.get(evaluation.Namespace, evaluation.JobID);
        const allocations = [...(job?.allocations ?? [])].filter((it) => it.EvalID === request.EvalID);
        const changedAt = allocations.reduce(
          (latest, it) => Math.max(latest, it.ModifyIndex),
          view.indexes.deletedAt("allocations"),
        );
        return {
          changedAt,
          index: Math.max(changedAt, evaluation?.CreateIndex ?? view.indexes.changedAt("evaluations")),
          value: allocations.map((allocation) => allocationStub(view, allocation)),
        };
      });
      return { Allocations: value, Meta: meta };
    },
  };
}
