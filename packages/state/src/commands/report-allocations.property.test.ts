import { packReports, type Report } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate, Deployment, DeploymentState, RegisterJob, TaskState } from "@steppe/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ledger, planFor } from "../testing/ledger.ts";

const STATUSES = ["pending", "running", "complete", "failed", "unknown"] as const;
const ROWS = 4;

/** Two jobs with a deployment each; the same ids in every world. */
function world() {
  const ledger = new Ledger();
  const node = mockNode({ ID: ledger.id() });
  ledger.run({ $case: "RegisterNode", value: { Node: node } });
  const deployments = ["a", "b"].map((ID) => {
    const job = mockJob({ ID });
    const group = job.TaskGroups[0]?.Name ?? "";
    const { EvalID } = ledger.run({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } });
    const rows = Array.from({ length: ROWS }, (_, n) => [n, node.ID] as [number, string]);
    const plan = planFor(ledger, EvalID, ID, group, rows);
    const TaskGroups = { [group]: DeploymentState.create({ DesiredTotal: ROWS, ProgressDeadline: 60e9 }) };
    const fields = { ID: ledger.id(), Namespace: "default", JobID: ID, Status: "running" };
    plan.Deployment = Deployment.create({ ...fields, TaskGroups });
    plan.DeploymentID = fields.ID;
    ledger.run({ $case: "ApplyPlan", value: plan });
    return fields.ID;
  });
  const ids = [...ledger.state.allocations.byId.keys()];
  return { ledger, ids: [...ids, "00000000-0000-4000-8000-999999999999"], deployments: [...deployments, ""] };
}

/** What can be told of the state, but for its digest. */
function told({ state }: Ledger) {
  return {
    allocations: [...state.allocations.byId.values()].map((it) => ({
      ...it,
      ...{ TaskStates: it.TaskStates, DeploymentStatus: it.DeploymentStatus, ModifyIndex: it.ModifyIndex },
    })),
    deployments: [...state.deployments.byId.values()].map(({ deployment }) => deployment),
    jobs: [...state.jobs.byKey.values()].map(({ job, summary, liveAllocations }) => ({
      job,
      summary,
      liveAllocations,
    })),
    evaluations: [...state.evaluations.byId.values()],
    indexes: [...state.indexes.last],
    used: [...state.nodes.usedCpu],
  };
}

const said = fc.record({
  status: fc.constantFrom(...STATUSES),
  healthy: fc.option(fc.boolean(), { nil: undefined }),
  at: fc.integer({ min: 1, max: 1e6 }),
});
const reports = fc.array(
  fc.record({ of: fc.nat({ max: 2 * ROWS }), said: fc.nat({ max: 2 }), deployment: fc.nat({ max: 2 }) }),
  { maxLength: 12 },
);

test("reports of many allocations at once, the same state as updates one by one", () => {
  fc.assert(
    fc.property(
      fc.array(said, { minLength: 3, maxLength: 3 }),
      fc.array(reports, { maxLength: 4 }),
      (says, batches) => {
        const [together, oneByOne] = [world(), world()];
        const updates = says.map(({ status, healthy, at }) =>
          AllocationUpdate.create({
            ClientStatus: status,
            ClientDescription: `is ${status}`,
            TaskStates: { main: TaskState.create({ State: "running", StartedAt: at }) },
            DeploymentStatus:
              healthy === undefined ? undefined : { Healthy: healthy, Timestamp: at, Canary: false, ModifyIndex: 0 },
          }),
        );
        for (const batch of batches) {
          const list = batch.map(
            ({ of, said, deployment }): Report => ({
              ID: together.ids[of] as string,
              DeploymentID: together.deployments[deployment] as string,
              said: updates[said] as AllocationUpdate,
            }),
          );
          together.ledger.run({ $case: "ReportAllocations", value: { Reports: packReports(list) } });
          const Updates = list.map(({ ID, DeploymentID, said }) => ({ ...said, ID, DeploymentID }));
          oneByOne.ledger.run({ $case: "UpdateAllocations", value: { Updates } });
        }
        expect(told(together.ledger)).toEqual(told(oneByOne.ledger));
        expect(together.ledger.replay().digest.value).toBe(together.ledger.state.digest.value);
      },
    ),
  );
});
