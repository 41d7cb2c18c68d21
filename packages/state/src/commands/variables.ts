import type { Outcome, Variable, WriteVariable } from "@steppe/proto";
import type { State } from "../state.ts";
import { done, refuse, type Step } from "../step.ts";

/** Writes or deletes a variable; with CheckIndex only the one that the writer saw. */
export function writeVariable(state: State, step: Step, command: WriteVariable): Outcome {
  const given = command.Variable;
  if (given === undefined) return refuse(step, "invalid", "variable must be specified");
  if (state.namespaces.get(given.Namespace) === undefined) {
    return refuse(step, "refused", `nonexistent namespace "${given.Namespace}"`);
  }
  const before = state.variables.get(given.Namespace, given.Path);
  if (command.CheckIndex && (before?.ModifyIndex ?? 0) !== command.ModifyIndex) return done(step, { Conflict: true });
  if (!command.Delete) state.putVariable(step, written(given, before, step));
  else if (before !== undefined) state.removeVariable(step, before);
  return done(step);
}

function written(given: Variable, before: Variable | undefined, step: Step): Variable {
  const created = { CreateIndex: before?.CreateIndex ?? step.index, CreateTime: before?.CreateTime ?? step.time };
  return { ...given, ...created, ModifyIndex: step.index, ModifyTime: step.time };
}
