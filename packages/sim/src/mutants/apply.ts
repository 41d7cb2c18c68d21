// Broken state machines, made around the real one.
import { type Command, Entry } from "@steppe/proto";
import { apply, type State } from "@steppe/state";
import type { Parts } from "../world/parts.ts";

type Apply = Parts["apply"];

/** `apply` of an entry whose commands are changed first. The caller's entry stays as it is. */
function withCommands(change: (state: State, command: Command, index: number) => Command): Apply {
  return (state, index, entry) => {
    const Commands = Entry.decode(Entry.encode(entry).finish()).Commands;
    return apply(state, index, { ...entry, Commands: Commands.map((command) => change(state, command, index)) });
  };
}

/** A repeat is taken for a new request. */
export const skipDeduplication: Apply = withCommands((state, command, index) =>
  state.outcomes.get(command.RequestID) === undefined
    ? command
    : { ...command, RequestID: `${command.RequestID}#${index}` },
);

/** Commands of a leader whose term has passed are done all the same. */
export const ignoreFencing: Apply = (state, index, entry) => {
  const { lease } = state;
  const isClaim = entry.Commands.some(({ Kind }) => Kind?.$case === "ClaimLease" || Kind?.$case === "ReleaseLease");
  if (lease === undefined || isClaim) return apply(state, index, entry);
  state.lease = { ...lease, Expires: Number.POSITIVE_INFINITY };
  const fenced = withCommands((_, command) => {
    const value = command.Kind?.value as { Term?: number } | undefined;
    if (value?.Term) value.Term = lease.Term;
    return command;
  })(state, index, entry);
  state.lease = lease;
  return fenced;
};

/** Plans are committed without a look at what nodes have left. */
export const dropPlanCheck: Apply = (state, index, entry) => {
  if (!entry.Commands.some(({ Kind }) => Kind?.$case === "ApplyPlan")) return apply(state, index, entry);
  const columns = [state.nodes.cpu, state.nodes.memory, state.nodes.disk] as Float64Array[];
  const before = columns.map((column) => column.slice());
  for (const column of columns) column.fill(1e12);
  try {
    return apply(state, index, entry);
  } finally {
    columns.forEach((column, i) => {
      column.set(before[i] as Float64Array);
    });
  }
};

/** The leader's broker does not hear of evaluations that wait for room. */
export const forgetBlocked: Apply = (state, index, entry) => {
  const applied = apply(state, index, entry);
  for (const [id, { Status }] of applied.changes.evaluations) {
    if (Status === "blocked") applied.changes.evaluations.delete(id);
  }
  return applied;
};

/** A launch does not record its tick. */
export const forgetTick: Apply = (state, index, entry) => {
  const before = new Map([...state.jobs.byKey.values()].map((job) => [job, job.lastLaunch]));
  const launches = entry.Commands.some(({ Kind }) => Kind?.$case === "LaunchPeriodic");
  const applied = apply(state, index, entry);
  if (launches) for (const [job, lastLaunch] of before) job.lastLaunch = lastLaunch;
  return applied;
};

/** One change of a job in three wakes nobody. */
export const loseWakeUp: Apply = (state, index, entry) => {
  const applied = apply(state, index, entry);
  if (index % 3 === 0) applied.changes.jobs.clear();
  return applied;
};

/** An evaluation ends and its plan's placements are left out. */
export const losePlacements: Apply = withCommands((_, command, index) => {
  if (command.Kind?.$case === "ApplyPlan" && index % 4 === 0) command.Kind.value.Placements = [];
  return command;
});
