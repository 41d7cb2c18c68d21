import { formatId, parseId, type Random } from "@steppe/model";
import { AllocMetric, Evaluation, Placements, Plan, PlanResult, Stops } from "@steppe/proto";
import { askOf, type JobView, type StateView } from "@steppe/state";

/**
 * The smallest scheduler that is one: each missing name goes to the first node with room, what is
 * over the count is stopped, and what finds no room waits in a blocked evaluation. `from` turns the
 * order of the nodes, so that racing workers can be made to collide, or not to.
 */
export function firstFit(view: StateView, evaluation: Evaluation, random: Random, from = 0): Plan {
  const job = view.jobs.get(evaluation.Namespace, evaluation.JobID);
  const plan = Plan.create({
    ...{ EvalID: evaluation.ID, Namespace: evaluation.Namespace, JobID: evaluation.JobID },
    ...{ JobVersion: job?.job.Version ?? 0, JobCreateIndex: job?.job.CreateIndex ?? 0 },
    ...{ JobModifyIndex: job?.job.JobModifyIndex ?? 0, SnapshotIndex: view.index },
    Result: PlanResult.create({ Status: "complete" }),
  });
  if (job === undefined) return plan;
  if (job.job.Stop) {
    const AllocIDs = [...job.allocations].filter(({ terminal }) => !terminal).map(({ ID }) => ID);
    plan.Stops = [Stops.create({ AllocIDs, DesiredStatus: "stop" })];
    return plan;
  }
  const queued = job.job.TaskGroups.map(({ Name }) => [Name, place(view, job, Name, plan, random, from)] as const);
  const unplaced = queued.filter(([, count]) => count > 0);
  if (unplaced.length > 0) waitForRoom(plan, evaluation, Object.fromEntries(unplaced), random, view);
  return plan;
}

/** Number of allocations of the group that found no room. */
function place(view: StateView, job: JobView, name: string, plan: Plan, random: Random, from: number): number {
  const group = job.job.TaskGroups.find(({ Name }) => Name === name);
  if (group === undefined) return 0;
  const ask = askOf(group);
  const held = job.names.get(name);
  const rows = Placements.create({ TaskGroup: name });
  const ids: number[] = [];
  const taken = new Map<number, number>();
  let unplaced = 0;
  for (let index = 0; index < (group.Count ?? 0); index++) {
    if ((held?.get(index) ?? 0) > 0) continue;
    const slot = slots(view, from).find(
      (it) =>
        view.nodes.usable[it] === 1 &&
        (view.nodes.usedCpu[it] as number) + ((taken.get(it) ?? 0) + 1) * ask.cpu <= (view.nodes.cpu[it] as number),
    );
    if (slot === undefined) {
      unplaced += 1;
      continue;
    }
    taken.set(slot, (taken.get(slot) ?? 0) + 1);
    rows.NodeIDs.push(view.nodes.nodes[slot]?.ID ?? "");
    rows.Nodes.push(rows.NodeIDs.length - 1);
    rows.NameIndexes.push(index);
    rows.Scores.push(0);
    ids.push(...parseId(formatId(random.bytes(16))));
  }
  rows.AllocIDs = Uint8Array.from(ids);
  if (ids.length > 0) plan.Placements.push(rows);
  return unplaced;
}

function slots(view: StateView, from: number): number[] {
  const { length } = view.nodes;
  return Array.from({ length }, (_, i) => (i + from) % length);
}

function waitForRoom(
  plan: Plan,
  evaluation: Evaluation,
  queued: Record<string, number>,
  random: Random,
  view: StateView,
): void {
  const ClassEligibility = Object.fromEntries(view.nodes.classes.map((name) => [name, true]));
  const result = PlanResult.create({ Status: "complete", QueuedAllocations: queued, FailedTGAllocs: {} });
  for (const name of Object.keys(queued)) result.FailedTGAllocs[name] = AllocMetric.create();
  plan.Result = result;
  if (evaluation.Status === "blocked") {
    plan.Result = { ...result, Status: "blocked", ClassEligibility };
    return;
  }
  const blocked = Evaluation.create({
    ...{ ID: random.id(), Namespace: evaluation.Namespace, JobID: evaluation.JobID, Type: evaluation.Type },
    ...{ Priority: evaluation.Priority, Status: "blocked", TriggeredBy: "queued-allocs", ClassEligibility },
    ...{ PreviousEval: evaluation.ID, SnapshotIndex: view.index, JobModifyIndex: plan.JobModifyIndex },
  });
  plan.Evaluations.push(blocked);
  result.BlockedEval = blocked.ID;
}
