import type { TaskEvent, TaskState } from "@steppe/proto";
import { packTimes, unpackTimes } from "./packed-times.ts";

export type TaskStates = Readonly<Record<string, TaskState>>;

/**
 * What a node agent reported of an allocation's tasks, in two parts: a form, shared by all
 * allocations whose tasks stand alike, in which every point of time is 0 for none or 1 for some; and
 * the points of time, in the order of the form. Events differ in little else, and are most of a report.
 */
export interface PackedTasks {
  readonly form: TaskStates;
  /** Undefined when there are none; a single one is not worth packing. */
  readonly times: number | string | undefined;
}

export const NO_TASKS: TaskStates = Object.freeze({});

/** Finds forms that are alike. It may forget any: those in use stay with their allocations. */
export class TaskForms {
  readonly #forms: Map<string, TaskStates> = new Map();

  pack(states: TaskStates): PackedTasks {
    const times: number[] = [];
    const form: Record<string, TaskState> = {};
    let isEmpty = true;
    for (const [task, state] of Object.entries(states)) {
      form[task] = mapTimes(state, (time) => {
        if (time === 0) return 0;
        times.push(time);
        return 1;
      });
      isEmpty = false;
    }
    if (isEmpty) return { form: NO_TASKS, times: undefined };
    return { form: this.#shared(form), times: times.length > 1 ? packTimes(times) : times[0] };
  }

  #shared(form: TaskStates): TaskStates {
    const key = JSON.stringify(form);
    const known = this.#forms.get(key);
    if (known !== undefined) return known;
    if (this.#forms.size >= FORMS_MAX) this.#forms.delete(this.#forms.keys().next().value as string);
    this.#forms.set(key, form);
    return form;
  }
}

/** The states as they were reported, made anew. */
export function unpackTasks({ form, times }: PackedTasks): TaskStates {
  if (times === undefined) return form;
  let at = 0;
  const unpacked = typeof times === "number" ? [times] : unpackTimes(times);
  const next = (mark: number) => (mark === 0 ? 0 : (unpacked[at++] as number));
  return Object.fromEntries(Object.entries(form).map(([task, state]) => [task, mapTimes(state, next)]));
}

function mapTimes(state: TaskState, map: (time: number) => number): TaskState {
  return {
    ...state,
    LastRestart: map(state.LastRestart),
    StartedAt: map(state.StartedAt),
    FinishedAt: map(state.FinishedAt),
    Events: state.Events.map((event): TaskEvent => ({ ...event, Time: map(event.Time) })),
  };
}

/** A few kilobytes each. Reports that name exit codes or delays make forms of their own. */
const FORMS_MAX = 1_024;
