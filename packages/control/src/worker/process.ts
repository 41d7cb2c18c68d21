import { SteppeError } from "@steppe/model";
import type { BrokerDelivery, Outcome, Plan } from "@steppe/proto";
import { isOpen } from "@steppe/state";
import { LARGE, wantedBy } from "../job-size.ts";
import { exhaustedPlan, lacksRoom, nextMove, type Submission, submissionOf } from "./decide.ts";
import type { WorkerNeeds, WorkerSettings } from "./needs.ts";
import type { Slices } from "./slices.ts";
import type { Turns } from "./turns.ts";

type ProcessNeeds = Pick<
  WorkerNeeds,
  "clock" | "random" | "view" | "propose" | "waitFor" | "schedule" | "splitPlan" | "underway"
>;

/** What the evaluations of one worker share. */
export interface Shared {
  readonly turns: Turns;
  readonly slices: Slices;
}

/**
 * Sees one evaluation through: catch up, schedule, submit, look again where others were faster.
 * Resolves when the evaluation has ended in the log, by this worker or another, with whether it lost
 * a race on the way; rejects when it should be delivered again.
 */
export async function processEvaluation(
  needs: ProcessNeeds,
  { catchUpMs }: Pick<WorkerSettings, "catchUpMs">,
  { EvalID, Namespace, JobID, WaitIndex }: BrokerDelivery,
  { turns, slices }: Shared,
): Promise<boolean> {
  const { view } = needs;
  await catchUp(needs, WaitIndex, catchUpMs);
  const isLarge = wantedBy(view.jobs.get(Namespace, JobID)) >= LARGE;
  let lost = false;
  for (let used: number | undefined = 0; ; ) {
    const before: number = used;
    // Whoever lost a race once is not to lose the next one to this worker's own plans.
    used = await turns.take(isLarge || lost, async () => {
      await slices.enter();
      return await attempt(needs, catchUpMs, EvalID, before);
    });
    if (used === undefined) return lost;
    lost = true;
  }
}

/** One plan. The attempts used so far, when it is to be looked at again alone, or undefined when the evaluation has ended. */
async function attempt(needs: ProcessNeeds, catchUpMs: number, id: string, used: number): Promise<number | undefined> {
  const { view, random } = needs;
  const evaluation = view.evaluations.get(id);
  if (evaluation === undefined || !isOpen(evaluation)) return undefined;
  const plan = needs.schedule(evaluation);
  // What others will take may be refused them, and nothing would tell then that there is room after all.
  if (needs.underway?.isEmpty === false && lacksRoom(plan)) return used;
  const move = nextMove(evaluation.Type, used, await submitSeen(needs, plan, catchUpMs));
  if (move.kind === "done") return undefined;
  if (move.kind === "error") throw new Error(`plan refused: ${move.reason}`);
  if (move.kind === "again") return move.used;
  const job = view.jobs.get(evaluation.Namespace, evaluation.JobID)?.job;
  const last = exhaustedPlan(evaluation, job, plan, random.id(), view.index);
  const { kind, reason } = await submit(needs, last, catchUpMs);
  if (kind === "committed") return undefined;
  throw new Error(`giving up failed: ${reason}`);
}

/** While it is on its way, other passes count what it takes. */
async function submitSeen(needs: ProcessNeeds, plan: Plan, catchUpMs: number): Promise<Submission> {
  needs.underway?.add(plan);
  try {
    return await submit(needs, plan, catchUpMs);
  } finally {
    needs.underway?.remove(plan);
  }
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
