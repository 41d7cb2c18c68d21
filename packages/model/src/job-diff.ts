import {
  type DesiredUpdates,
  type Job,
  JobDiff,
  type Task,
  TaskDiff,
  type TaskGroup,
  TaskGroupDiff,
} from "@steppe/proto";
import { isRestarted } from "./diff.ts";
import { compareText } from "./go-text.ts";
import { diffMessages, type MessageDiff, typeOf } from "./message-diff.ts";

/** Not part of a specification, or only ever merged into the groups; the ID stands at the top of the diff. */
const JOB_IGNORED: ReadonlySet<string> = new Set([
  ...["ID", "TaskGroups", "Update", "Reschedule", "Migrate", "Status", "StatusDescription", "Stable", "Version"],
  ...["VersionTag", "SubmitTime", "CreateIndex", "ModifyIndex", "JobModifyIndex", "NomadTokenID"],
  ...["ConsulToken", "VaultToken", "Dispatched", "DispatchIdempotencyToken"],
]);
/** The three last are older forms of Disconnect. */
const GROUP_IGNORED: ReadonlySet<string> = new Set([
  ...["Name", "Tasks", "StopAfterClientDisconnect", "MaxClientDisconnect", "PreventRescheduleOnLost"],
]);
const TASK_IGNORED: ReadonlySet<string> = new Set(["Name"]);

type Levels = readonly [job: Job, group: TaskGroup];

/** What differs from version `a` to version `b` of a job; either may be absent, not both. */
export function diffJobs(a: Job | undefined, b: Job | undefined): JobDiff {
  const own = diffMessages("Job", a, b, JOB_IGNORED);
  const TaskGroups = matched(a?.TaskGroups, b?.TaskGroups).map(([x, y]) => diffGroups(a, b, x, y));
  const isEdited = !isEmpty(own) || TaskGroups.some(({ Type }) => Type !== "None");
  return JobDiff.create({
    Type: typeFor(a, b, isEdited),
    ID: (b ?? a)?.ID ?? "",
    Fields: own.fields,
    Objects: own.objects,
    TaskGroups,
  });
}

/** Says of each group and task what the change does to what runs. `updates`: by group, as the scheduler counted them. */
export function annotateDiff(diff: JobDiff, updates: Readonly<Record<string, DesiredUpdates>>): void {
  for (const group of diff.TaskGroups) {
    const counted = updates[group.Name];
    if (counted === undefined) continue;
    for (const [field, name] of Object.entries(UPDATE_NAMES)) {
      const count = counted[field as keyof typeof UPDATE_NAMES];
      if (count > 0) group.Updates[name] = count;
    }
  }
}

const UPDATE_NAMES = {
  Ignore: "ignore",
  Place: "create",
  Migrate: "migrate",
  Stop: "destroy",
  InPlaceUpdate: "in-place update",
  DestructiveUpdate: "create/destroy update",
  Canary: "canary",
  Preemptions: "preemptions",
} as const satisfies Partial<Record<keyof DesiredUpdates, string>>;

function diffGroups(
  jobA: Job | undefined,
  jobB: Job | undefined,
  a: TaskGroup | undefined,
  b: TaskGroup | undefined,
): TaskGroupDiff {
  const own = diffMessages("TaskGroup", a, b, GROUP_IGNORED);
  for (const field of own.fields) {
    if (field.Name !== "Count") continue;
    field.Annotations = [Number(field.New) > Number(field.Old) ? "forces create" : "forces destroy"];
  }
  const levelsA: Levels | undefined = jobA && a && [jobA, a];
  const levelsB: Levels | undefined = jobB && b && [jobB, b];
  const Tasks = matched(a?.Tasks, b?.Tasks).map(([x, y]) => diffTasks(levelsA, levelsB, x, y));
  const isEdited = !isEmpty(own) || Tasks.some(({ Type }) => Type !== "None");
  const Name = (b ?? a)?.Name ?? "";
  return TaskGroupDiff.create({ Type: typeFor(a, b, isEdited), Name, Fields: own.fields, Objects: own.objects, Tasks });
}

function diffTasks(
  levelsA: Levels | undefined,
  levelsB: Levels | undefined,
  a: Task | undefined,
  b: Task | undefined,
): TaskDiff {
  const own = diffMessages("Task", a, b, TASK_IGNORED);
  const Type = typeFor(a, b, !isEmpty(own));
  const restarts = a && b && levelsA && levelsB && isRestarted([...levelsA, a], [...levelsB, b]);
  const edited = restarts === true ? "forces create/destroy update" : "forces in-place update";
  const annotation = { Added: "forces create", Deleted: "forces destroy", Edited: edited, None: "" }[Type];
  const Annotations = annotation === "" ? [] : [annotation];
  return TaskDiff.create({ Type, Name: (b ?? a)?.Name ?? "", Fields: own.fields, Objects: own.objects, Annotations });
}

const isEmpty = ({ fields, objects }: MessageDiff): boolean => fields.length === 0 && objects.length === 0;

function typeFor(a: unknown, b: unknown, isEdited: boolean): "None" | "Added" | "Deleted" | "Edited" {
  const type = typeOf(a, b);
  return type === "Edited" && !isEdited ? "None" : type;
}

/** Pairs of the same name, by name; one side is missing where only the other has it. */
function matched<T extends { readonly Name: string }>(
  a: readonly T[] = [],
  b: readonly T[] = [],
): [T | undefined, T | undefined][] {
  const names = [...new Set([...a, ...b].map(({ Name }) => Name))].sort(compareText);
  const find = (list: readonly T[], name: string) => list.find(({ Name }) => Name === name);
  return names.map((name) => [find(a, name), find(b, name)]);
}
