// Where the API's JSON departs from "what is absent is null". Named `<message>.<field>`.

/** Left out altogether when not set: a list shows them only to those who asked. */
export const LEFT_OUT_WHEN_UNSET: ReadonlySet<string> = new Set([
  "AllocListStub.AllocatedResources",
  "JobListStub.Meta",
  "JobListStub.Namespace",
  "NodeListStub.Attributes",
  "NodeListStub.NodeResources",
  "NodeListStub.ReservedResources",
]);

/** Entries of these maps are null when this field of theirs is empty: a task without a hook is a main task. */
export const NULL_ENTRY_WITHOUT: Readonly<Record<string, string>> = {
  "AllocatedResources.TaskLifecycles": "Hook",
};

export function isUnset(value: unknown): boolean {
  if (value === undefined || value === "") return true;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
