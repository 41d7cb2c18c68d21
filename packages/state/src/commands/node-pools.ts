import { multiError, quote } from "@steppe/model";
import type { DeleteNodePools, Outcome, UpsertNodePools } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { isBuiltInPool } from "../tables/node-pools.ts";

export function upsertNodePools(state: State, step: Step, { NodePools, OnlyNew }: UpsertNodePools): Outcome {
  for (const pool of NodePools) {
    const before = state.nodePools.get(pool.Name);
    if (OnlyNew && before !== undefined) continue;
    state.putNodePool(step, { ...pool, CreateIndex: before?.CreateIndex ?? step.index, ModifyIndex: step.index });
  }
  return done(step);
}

export function deleteNodePools(state: State, step: Step, { Names, Region }: DeleteNodePools): Outcome {
  for (const name of Names) {
    if (isBuiltInPool(name)) return refuse(step, "invalid", `deleting node pool ${quote(name)} is not allowed`);
    if (state.nodePools.get(name) === undefined) return refuse(step, "refused", `node pool ${name} not found`);
  }
  const reasons = Names.flatMap((name) => inUse(state, name, Region));
  if (reasons.length > 0) return refuse(step, "refused", multiError(reasons));
  for (const name of Names) state.removeNodePool(step, name);
  return done(step);
}

function inUse(state: State, name: string, region: string): string[] {
  const reasons: string[] = [];
  const jobs = [...state.jobs.byKey.values()];
  if (jobs.some(({ job }) => job.NodePool === name && job.Status !== "dead")) reasons.push("non-terminal jobs");
  if (state.nodes.nodes.some((node) => node?.NodePool === name)) reasons.push("nodes");
  return reasons.map((reason) => `node pool ${quote(name)} has ${reason} in regions: [${region}]`);
}
