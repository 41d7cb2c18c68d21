import { multiError, quote } from "@steppe/model";
import type { DeleteNamespaces, Outcome, UpsertNamespaces } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { DEFAULT_NAMESPACE } from "../tables/namespaces.ts";

export function upsertNamespaces(state: State, step: Step, { Namespaces }: UpsertNamespaces): Outcome {
  for (const namespace of Namespaces) {
    const before = state.namespaces.get(namespace.Name);
    state.putNamespace(step, {
      ...namespace,
      CreateIndex: before?.CreateIndex ?? step.index,
      ModifyIndex: step.index,
    });
  }
  return done(step);
}

/** What ended in a namespace does not keep it: garbage collection takes that away in its time. */
export function deleteNamespaces(state: State, step: Step, { Names, Region }: DeleteNamespaces): Outcome {
  if (Names.includes(DEFAULT_NAMESPACE)) return refuse(step, "refused", "can not delete default namespace");
  if (Names.some((name) => state.namespaces.get(name) === undefined)) {
    return refuse(step, "refused", "namespace not found");
  }
  const reasons = Names.flatMap((name) => inUse(state, name, Region));
  if (reasons.length > 0) return refuse(step, "refused", multiError(reasons));
  for (const name of Names) state.removeNamespace(step, name);
  return done(step);
}

function inUse(state: State, name: string, region: string): string[] {
  const jobs = [...state.jobs.byKey.values()].filter(({ job }) => job.Namespace === name);
  const reasons: string[] = [];
  if (jobs.some(({ job }) => job.Status !== "dead")) reasons.push("non-terminal jobs");
  if (jobs.some(({ liveAllocations }) => liveAllocations > 0)) reasons.push("non-terminal allocations");
  const variables = [...state.variables.byKey.values()];
  if (variables.some(({ Namespace }) => Namespace === name)) reasons.push("variables associated with it");
  return reasons.map((reason) => `namespace ${quote(name)} has ${reason} in regions: [${region}]`);
}
