// Which tasks of a group may start and which must end, given where all of them stand. Pure.
import type { Task, TaskState } from "@steppe/proto";

export interface TaskStanding {
  readonly task: Task;
  readonly state: TaskState;
  /** It was let go: starting, running, between restarts, or dead. */
  readonly released: boolean;
}

export type KillCause = { readonly kind: "sibling"; readonly task: string } | { readonly kind: "leader" | "main-dead" };

export interface LifecycleStep {
  /** Names of tasks to let go. */
  readonly release: readonly string[];
  /** Tasks that others' ends take along. */
  readonly kill?: { readonly names: readonly string[]; readonly cause: KillCause };
}

const hook = (standing: TaskStanding) => standing.task.Lifecycle?.Hook ?? "";
const isDead = (standing: TaskStanding) => standing.state.State === "dead";
const isSidecar = (standing: TaskStanding) => standing.task.Lifecycle?.Sidecar === true;
const isStarted = (standing: TaskStanding) => standing.state.StartedAt !== 0;

/**
 * prestart tasks first; main tasks once those have succeeded (their sidecars: have started);
 * poststart once every main task has started; poststop once every other task is dead.
 */
export function nextStep(tasks: readonly TaskStanding[]): LifecycleStep {
  const kill = decideKill(tasks);
  if (kill !== undefined) return { release: [], kill };
  const release = tasks.filter((task) => !task.released && mayStart(task, tasks)).map((task) => task.task.Name);
  return { release };
}

function mayStart(task: TaskStanding, all: readonly TaskStanding[]): boolean {
  const prestartDone = () =>
    all
      .filter((other) => hook(other) === "prestart")
      .every((other) => (isSidecar(other) ? isStarted(other) : succeeded(other)));
  switch (hook(task)) {
    case "prestart":
      return true;
    case "poststart":
      return prestartDone() && all.filter((other) => hook(other) === "").every(isStarted);
    case "poststop":
      return all.filter((other) => hook(other) !== "poststop").every(isDead);
    default:
      return prestartDone();
  }
}

function succeeded(task: TaskStanding): boolean {
  return isDead(task) && !task.state.Failed;
}

/** First match decides: a failure takes all others along, a leader's end too, and the last main task's end the sidecars. */
function decideKill(tasks: readonly TaskStanding[]): LifecycleStep["kill"] {
  const alive = tasks.filter((task) => !isDead(task) && hook(task) !== "poststop");
  if (alive.length === 0) return undefined;
  const names = (some: readonly TaskStanding[]) => some.map((task) => task.task.Name);
  const failed = tasks.find((task) => isDead(task) && task.state.Failed && hook(task) !== "poststop");
  if (failed !== undefined) return { names: names(alive), cause: { kind: "sibling", task: failed.task.Name } };
  if (tasks.some((task) => task.task.Leader && isDead(task))) return { names: names(alive), cause: { kind: "leader" } };
  const mains = tasks.filter((task) => hook(task) === "");
  if (mains.length === 0 || !mains.every(isDead)) return undefined;
  // A poststart task that runs to its end is left to do so.
  const lingering = alive.filter((task) => isSidecar(task) || !task.released);
  return lingering.length === 0 ? undefined : { names: names(lingering), cause: { kind: "main-dead" } };
}

/** The order in which a stopped allocation's tasks are killed: each wave ends before the next begins. */
export function killWaves(tasks: readonly TaskStanding[]): readonly (readonly string[])[] {
  const alive = tasks.filter((task) => !isDead(task) && hook(task) !== "poststop");
  const wave = (test: (task: TaskStanding) => boolean) => alive.filter(test).map((task) => task.task.Name);
  return [
    wave((task) => task.task.Leader),
    wave((task) => !task.task.Leader && !isSidecar(task)),
    wave((task) => !task.task.Leader && isSidecar(task)),
  ].filter((names) => names.length > 0);
}
