import { SteppeError } from "@steppe/model";
import type { BrokerDequeueResponse, Evaluation, Outcome, Plan } from "@steppe/proto";
import { isOpen, type JobView } from "@steppe/state";
import { exhaustedPlan, nextMove, type Submission, submissionOf } from "./decide.ts";
import type { WorkerNeeds, WorkerSettings } from "./needs.ts";
import type { Turns } from "./turns.ts";

type ProcessNeeds = Pick<WorkerNeeds, "clock" | "random" | "view" | "propose" | "waitFor" | "schedule" | "splitPlan">;

/** A job of so many allocations may well fill the nodes that others would take. */
const LARGE = 100;

/**
 * Sees one evaluation through: catch up, schedule, submit, look again where others were faster.
 * Resolves when the evaluation has ended in the log, by this worker or another; rejects when it
 * should be delivered again.
 */
export async function processEvaluation(
  needs: ProcessNeeds,
  { catchUpMs }: Pick<WorkerSettings, "catchUpMs">,
  delivery: BrokerDequeueResponse & { readonly Evaluation: Evaluation },
  turns: Turns,
): Promise<void> {
  const { view } = needs;
  await catchUp(needs, delivery.WaitIndex, catchUpMs);
  const { ID, Namespace, JobID } = delivery.Evaluation;
  let alone = isLarge(view.jobs.get(Namespace, JobID));
  for (let used: number | undefined = 0; used !== undefined; ) {
    const before: number = used;
    used = await turns.take(alone, () => attempt(needs, catchUpMs, ID, before));
    // Whoever lost a race once is not to lose the next one to this worker's own plans.
    alone = true;
  }
}

/** One plan. The attempts used so far, or undefined when the evaluation has ended. */
async function attempt(needs: ProcessNeeds, catchUpMs: number, id: string, used: number): Promise<number | undefined> {
  const { view, random } = needs;
  const evaluation = view.evaluations.get(id);
  if (evaluation === undefined || !isOpen(evaluation)) return undefined;
  const plan = needs.schedule(evaluation);
  const move = nextMove(evaluation.Type, used, await submit(needs, plan, catchUpMs));
  if (move.kind === "done") return undefined;
  if (move.kind === "error") throw new Error(`plan refused: ${move.reason}`);
  if (move.kind === "again") return move.used;
  const job = view.jobs.get(evaluation.Namespace, evaluation.JobID)?.job;
  const last = exhaustedPlan(evaluation, job, plan, random.id(), view.index);
  const { kind, reason } = await submit(needs, last, catchUpMs);
  if (kind === "committed") return undefined;
  throw new Error(`giving up failed: ${reason}`);
}

function isLarge(job: JobView | undefined): boolean {
  return job !== undefined && job.job.TaskGroups.reduce((sum, { Count }) => sum + (Count ?? 0), 0) >= LARGE;
}

/** Whole where it fits into a log entry. Who encodes it knows that; to find out before would be to encode it twice. */
async function submit(needs: ProcessNeeds, plan: Plan, catchUpMs: number): Promise<Submission> {
  try {
    return await submitParts(needs, [plan], catchUpMs);
  } catch (error) {
    if (!(error instanceof SteppeError && error.code === "too-large")) throw error;
  }
  return await submitParts(needs, needs.splitPlan(plan), catchUpMs);
}

/** Parts go one after the other, since each is checked against what the ones before left. */
async function submitParts(needs: ProcessNeeds, parts: readonly Plan[], catchUpMs: number): Promise<Submission> {
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const outcome = await needs.propose({ $case: "ApplyPlan", value: part });
    outcomes.push(outcome);
    await catchUp(needs, outcome.Index, catchUpMs);
    if (outcome.Refusal !== undefined || outcome.RejectedNodes.length > 0) break;
  }
  return submissionOf(outcomes);
}

async function catchUp(needs: ProcessNeeds, index: number, catchUpMs: number): Promise<void> {
  if (needs.view.index >= index) return;
  const late = new AbortController();
  const caughtUp = new AbortController();
  const timer = needs.clock.after(catchUpMs, caughtUp.signal).then(
    () => late.abort(new Error(`replica did not reach index ${index} in ${catchUpMs} ms`)),
    // Cut short, because the replica caught up.
    () => undefined,
  );
  try {
    await needs.waitFor(index, late.signal);
  } finally {
    caughtUp.abort();
    await timer;
  }
}
