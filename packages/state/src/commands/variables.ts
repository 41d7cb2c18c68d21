import type { ExpireVariableLocks, LockVariable, Outcome, Variable, VariableLock, WriteVariable } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";
import { termPassed } from "./lease.ts";

/** Writes or deletes a variable; with CheckIndex only the one that the writer saw. One that is locked is its holder's. */
export function writeVariable(state: State, step: Step, command: WriteVariable): Outcome {
  const given = command.Variable;
  if (given === undefined) return refuse(step, "invalid", "variable must be specified");
  if (state.namespaces.get(given.Namespace) === undefined) return noNamespace(step, given);
  const before = state.variables.get(given.Namespace, given.Path);
  if (command.CheckIndex && (before?.ModifyIndex ?? 0) !== command.ModifyIndex) return done(step, { Conflict: true });
  if (before?.Lock !== undefined && before.Lock.ID !== given.Lock?.ID) return done(step, { Conflict: true });
  if (!command.Delete) state.putVariable(step, written(given, before, step));
  else if (before !== undefined) state.removeVariable(step, before);
  return done(step);
}

/**
 * Acquiring needs a variable that nobody holds and whose last lock, if that ran out, ran out long enough ago.
 * Renewing and releasing need the lock's ID. All times are log times, so every replica decides the same.
 */
export function lockVariable(state: State, step: Step, command: LockVariable): Outcome {
  const given = command.Variable;
  if (given?.Lock === undefined) return refuse(step, "invalid", "missing lock information");
  if (state.namespaces.get(given.Namespace) === undefined) return noNamespace(step, given);
  const before = state.variables.get(given.Namespace, given.Path);
  if (command.CheckIndex && (before?.ModifyIndex ?? 0) !== command.ModifyIndex) return done(step, { Conflict: true });
  if (command.Operation === "acquire") return acquire(state, step, given, given.Lock, before);
  if (before === undefined) return refuse(step, "not-found", "variable doesn't exist");
  if (before.Lock === undefined) return refuse(step, "invalid", "attempt to operate over an unlocked variable");
  if (before.Lock.ID !== given.Lock.ID) return done(step, { Conflict: true });
  if (command.Operation === "renew") {
    const Lock = { ...before.Lock, Expires: step.time + before.Lock.TTL };
    state.putVariable(step, { ...before, Lock, ModifyIndex: step.index, ModifyTime: step.time });
  } else state.putVariable(step, unlocked(before, step, 0));
  return done(step);
}

function acquire(
  state: State,
  step: Step,
  given: Variable,
  { ID, TTL, LockDelay }: VariableLock,
  before: Variable | undefined,
): Outcome {
  const held = before?.Lock;
  // Whoever holds it already, and has lost the answer, may ask again.
  if (held !== undefined && held.ID !== ID) return done(step, { Conflict: true });
  if (before !== undefined && before.LockDelayUntil > step.time) return done(step, { Conflict: true });
  const Lock = held ?? { ID: step.mint(), TTL, LockDelay, Expires: step.time + TTL };
  const Items = Object.keys(given.Items).length === 0 ? (before?.Items ?? {}) : given.Items;
  state.putVariable(step, { ...written({ ...given, Items }, before, step), Lock, LockDelayUntil: 0 });
  return done(step);
}

/** Takes back the locks that have run out in log time. */
export function expireVariableLocks(state: State, step: Step, { Term, Locks }: ExpireVariableLocks): Outcome {
  if (termPassed(state, Term)) return refuse(step, "stale-term", `term ${Term} has passed`);
  let removed = 0;
  for (const { Namespace, Path, LockID } of Locks) {
    const held = state.variables.get(Namespace, Path);
    if (held?.Lock === undefined || held.Lock.ID !== LockID || held.Lock.Expires > step.time) continue;
    state.putVariable(step, unlocked(held, step, step.time + held.Lock.LockDelay));
    removed += 1;
  }
  return done(step, { Removed: removed });
}

function unlocked(held: Variable, step: Step, LockDelayUntil: number): Variable {
  return { ...held, Lock: undefined, LockDelayUntil, ModifyIndex: step.index, ModifyTime: step.time };
}

function written(given: Variable, before: Variable | undefined, step: Step): Variable {
  const created = { CreateIndex: before?.CreateIndex ?? step.index, CreateTime: before?.CreateTime ?? step.time };
  const lock = { Lock: before?.Lock, LockDelayUntil: before?.LockDelayUntil ?? 0 };
  return { ...given, ...created, ...lock, ModifyIndex: step.index, ModifyTime: step.time };
}

function noNamespace(step: Step, { Namespace }: Variable): Outcome {
  return refuse(step, "refused", `nonexistent namespace "${Namespace}"`);
}
