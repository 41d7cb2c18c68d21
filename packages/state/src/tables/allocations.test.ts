import { mockJob } from "@steppe/model/internal";
import { TaskState } from "@steppe/proto";
import { expect, test } from "vitest";
import { AllocationState, askOf } from "./allocations.ts";
import { TaskForms } from "./task-forms.ts";

test("allocation, copied, has all it had, and keeps it whatever becomes of the first", () => {
  const job = mockJob();
  const ask = askOf(job.TaskGroups[0] as (typeof job.TaskGroups)[0]);
  const origin = { TaskGroup: "web", EvalID: "e", Metrics: undefined, moment: { index: 5, time: 1 } };
  const it = new AllocationState("a", job, ask, 3, "n", origin);
  Object.assign(it, { DesiredStatus: "stop", ClientStatus: "running", ClientDescription: "runs", DeploymentID: "d" });
  Object.assign(it, { Score: 0.5, AllocModifyIndex: 7 });
  it.modifiedAt({ index: 8, time: 2 });
  it.claim({ Ports: [8080], HostIPs: ["10.0.0.1"], Devices: [], Cores: [1] });
  it.report(new TaskForms().pack({ main: TaskState.create({ State: "running", StartedAt: 9 }) }));
  it.amend({ NextAllocation: "b" });
  it.fare({ Healthy: true, Canary: true, ModifyIndex: 8 }, 10);
  const names = [
    ...Object.keys(it),
    ...Object.entries(Object.getOwnPropertyDescriptors(AllocationState.prototype)).flatMap(([name, { get }]) =>
      get === undefined ? [] : [name],
    ),
  ] as (keyof AllocationState)[];
  const told = (of: AllocationState) => Object.fromEntries(names.map((name) => [name, of[name]]));
  const before = told(it);
  const copy = it.copy();
  expect(told(copy)).toEqual(before);
  it.ClientStatus = "complete";
  it.amend({ NextAllocation: "c" });
  expect(told(copy)).toEqual(before);
});
