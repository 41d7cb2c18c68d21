// Rollouts of jobs that name their regions. Each region writes to its own log only: what others are to
// get is owed here until they have it.
import type { Outcome, OwedCopies, RegisterCopy, SettleCopies, StopCopy } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { deregisterJob } from "./deregister-job.ts";
import { termPassed } from "./lease.ts";
import { registerJob } from "./register-job.ts";

/** One that is not later than what is there changes nothing, so copies may come late, twice or out of order. */
export function registerCopy(state: State, step: Step, command: RegisterCopy): Outcome {
  const { Register } = command;
  if (Register?.Job === undefined) return refuse(step, "invalid", "Job must be specified");
  const { Namespace, ID } = Register.Job;
  const before = state.jobs.get(Namespace, ID);
  const Rollout = numberOf(state, command, { Namespace, JobID: ID });
  if (!command.First && (before?.rollout ?? 0) >= Rollout) {
    return done(step, { JobModifyIndex: before?.job.JobModifyIndex ?? 0 });
  }
  const outcome = registerJob(state, step, Register);
  const job = state.jobs.get(Namespace, ID);
  if (outcome.Refusal !== undefined || job === undefined) return outcome;
  job.rollout = Rollout;
  job.rolloutVersion = job.job.Version;
  state.digest.number(Rollout);
  owe(state, command.Owed, Rollout);
  return { ...outcome, Rollout };
}

export function stopCopy(state: State, step: Step, command: StopCopy): Outcome {
  const { Deregister } = command;
  if (Deregister === undefined) return refuse(step, "invalid", "missing job ID for deregistering");
  const { Namespace, JobID } = Deregister;
  const Rollout = numberOf(state, command, Deregister);
  const before = state.jobs.get(Namespace, JobID);
  if (!command.First && (before?.rollout ?? 0) >= Rollout) return done(step);
  const outcome = deregisterJob(state, step, Deregister);
  if (outcome.Refusal !== undefined) return outcome;
  const job = state.jobs.get(Namespace, JobID);
  if (job !== undefined) job.rollout = Rollout;
  state.digest.number(Rollout);
  owe(state, command.Owed, Rollout);
  return { ...outcome, Rollout };
}

/** A user's comes later than all before, whatever the clocks of the regions say. */
function numberOf(
  state: State,
  { First, Rollout }: { readonly First: boolean; readonly Rollout: number },
  { Namespace, JobID }: { readonly Namespace: string; readonly JobID: string },
): number {
  if (!First) return Rollout;
  const known = [state.jobs.get(Namespace, JobID)?.rollout ?? 0, state.owed.get(Namespace, JobID)?.Rollout ?? 0];
  return Math.max(Rollout, ...known.map((it) => it + 1));
}

/** In place of what was owed of an earlier registration or stop. */
function owe(state: State, owed: OwedCopies | undefined, Rollout: number): void {
  if (owed !== undefined) state.putOwed({ ...owed, Rollout });
}

export function settleCopies(state: State, step: Step, command: SettleCopies): Outcome {
  const { Term, Namespace, JobID, Rollout, Regions } = command;
  if (Term !== 0 && termPassed(state, Term)) return refuse(step, "stale-term", "the lease term has passed");
  const owed = state.owed.get(Namespace, JobID);
  if (owed === undefined || owed.Rollout !== Rollout) return done(step);
  state.putOwed({ ...owed, Regions: owed.Regions.filter((name) => !Regions.includes(name)) });
  return done(step);
}
