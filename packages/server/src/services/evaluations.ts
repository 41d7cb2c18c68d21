import { type Service, SteppeError } from "@steppe/model";
import { type Evaluation, EvaluationStub, type EvaluationsDefinition, QueryOptions } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import { evaluationsListing } from "./listings.ts";
import { createPager } from "./paging.ts";
import { inNamespace, type Reader } from "./read.ts";
import { AllocationRow, shownEvaluation } from "./stubs.ts";
import type { Writer } from "./write.ts";

/** Identifiers in one write, the peer's limit. */
const DELETED_MAX = 7_281;

/** Evaluations of this region. */
export function createEvaluations(reader: Reader, writer: Writer): Service<EvaluationsDefinition> {
  return {
    async get(request, call) {
      const key = { kind: "evaluation", id: request.EvalID } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const evaluation = view.evaluations.get(request.EvalID);
        return {
          changedAt: evaluation?.ModifyIndex ?? view.indexes.deletedAt("evaluations"),
          index: evaluation?.ModifyIndex ?? view.indexes.changedAt("evaluations"),
          value:
            evaluation && request.Related ? { ...evaluation, RelatedEvals: related(view, evaluation) } : evaluation,
        };
      });
      return { Evaluation: value && shownEvaluation(value), Meta: meta };
    },

    async list(request, call) {
      const { Query: query, JobID, Status } = request;
      if (query !== undefined && query.Filter !== "" && (JobID !== "" || Status !== "")) {
        throw new SteppeError("invalid", "Filter expression cannot be used with other filter parameters");
      }
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

    async count(request, call) {
      const { Query: query } = request;
      const wanted = inNamespace(query);
      // A count is of everything: no page of it.
      const page = createPager(query && { ...query, PerPage: 0, NextToken: "" }, evaluationsListing(query));
      const { value, meta } = await reader.read(query, call, { kind: "table", id: "evaluations" }, (view) => {
        const index = view.indexes.changedAt("evaluations");
        const found = page(
          view.evaluations.byId.values(),
          (it) => wanted(it.Namespace) && it.ID.startsWith(query?.Prefix ?? ""),
        );
        return { changedAt: index, index, value: found.items.length };
      });
      return { Count: value, Meta: meta };
    },

    async delete({ Write, EvalIDs, Filter }, call) {
      if (Filter !== "" && EvalIDs.length > 0) {
        throw new SteppeError("invalid", "evals cannot be deleted by both ID and filter");
      }
      if (Filter === "" && EvalIDs.length === 0) {
        throw new SteppeError("invalid", "evals must be deleted by either ID or filter");
      }
      if (EvalIDs.length > DELETED_MAX) {
        const text = `request includes ${EvalIDs.length} evaluation IDs, must be ${DELETED_MAX} or fewer`;
        throw new SteppeError("invalid", text);
      }
      const ids = Filter === "" ? EvalIDs : matching(reader.view, Filter, Write?.Namespace ?? "");
      let [Count, Index] = [0, 0];
      // Also when nothing matches: the refusal while the broker runs comes from the log.
      for (let at = 0; at === 0 || at < ids.length; at += DELETED_MAX) {
        const value = { EvalIDs: ids.slice(at, at + DELETED_MAX) };
        // Each part is a request of its own; deleting once more deletes nothing more.
        const options = Write && { ...Write, RequestID: Write.RequestID && `${Write.RequestID}/${at}` };
        const outcome = await writer.write(options, call, { $case: "DeleteEvaluations", value });
        Count += outcome.Removed;
        Index = outcome.Index;
      }
      return { Count, Index };
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
          value: allocations.map((allocation) => new AllocationRow(view, allocation)),
        };
      });
      return { Allocations: value, Meta: meta };
    },
  };
}

/** Those of the chain that it is part of: what it came from, what came of it, and what waits for it. */
function related(view: StateView, evaluation: Evaluation): EvaluationStub[] {
  const found = new Map<string, Evaluation>();
  const todo = [evaluation];
  for (let it = todo.pop(); it !== undefined; it = todo.pop()) {
    for (const id of [it.PreviousEval, it.NextEval, it.BlockedEval]) {
      const next = id === "" || found.has(id) ? undefined : view.evaluations.get(id);
      if (next === undefined) continue;
      found.set(id, next);
      todo.push(next);
    }
  }
  found.delete(evaluation.ID);
  return [...found.values()].map((it) => ({
    ...EvaluationStub.create(),
    ...{ ID: it.ID, Namespace: it.Namespace, Priority: it.Priority, Type: it.Type, TriggeredBy: it.TriggeredBy },
    ...{ JobID: it.JobID, NodeID: it.NodeID, DeploymentID: it.DeploymentID, Status: it.Status },
    ...{ StatusDescription: it.StatusDescription, WaitUntil: it.WaitUntil, NextEval: it.NextEval },
    ...{ PreviousEval: it.PreviousEval, BlockedEval: it.BlockedEval, CreateIndex: it.CreateIndex },
    ...{ ModifyIndex: it.ModifyIndex, CreateTime: it.CreateTime, ModifyTime: it.ModifyTime },
  }));
}

function matching(view: StateView, filter: string, namespace: string): string[] {
  const query = { ...QueryOptions.create(), Filter: filter };
  const page = createPager(query, evaluationsListing(query));
  const wanted = inNamespace({ ...query, Namespace: namespace });
  return page(view.evaluations.byId.values(), (it) => wanted(it.Namespace)).items.map(({ ID }) => ID);
}
