// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate, type Job, NetworkResource, type Plan, RegisterJob, Service, TaskState } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { decodeSnapshot } from "../decode-snapshot.ts";
import { encodeSnapshot } from "../encode-snapshot.ts";
import { Ledger, planFor } from "../testing/ledger.ts";

const register = (job: Job) => ({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job } }) as const;
const submit = (plan: Plan) => ({ $case: "ApplyPlan", value: plan }) as const;

function offeringJob(tags: readonly string[] = ["a", "index-${NOMAD_ALLOC_INDEX}", "on-${node.unique.name}"]): Job {
  const job = mockJob({ ID: "web" });
  for (const group of job.TaskGroups) {
    group.Count = 2;
    group.Networks = [
      NetworkResource.create({
        ReservedPorts: [{ Label: "http", Value: 8080, To: 80 }],
        DynamicPorts: [],
      }),
    ];
    const shared = { Provider: "nomad", Namespace: "default" };
    group.Services = [
      Service.create({ ...shared, Name: "front", PortLabel: "http", Tags: [...tags] }),
      Service.create({ Name: "other", Provider: "consul", PortLabel: "http" }),
    ];
    for (const task of group.Tasks) task.Services = [Service.create({ ...shared, Name: "inner", PortLabel: "9000" })];
  }
  return job;
}

/** Two allocations placed on two nodes. */
function world(job = offeringJob()) {
  const ledger = new Ledger();
  const nodes = ["n1", "n2"].map((Name) => mockNode({ ID: ledger.id(), Name }));
  for (const node of nodes) ledger.run({ $case: "RegisterNode", value: { Node: node } });
  const { EvalID } = ledger.run(register(job));
  const group = job.TaskGroups[0]?.Name ?? "";
  ledger.run(
    submit(
      planFor(
        ledger,
        EvalID,
        "web",
        group,
        nodes.map((node, i) => [i, node.ID]),
      ),
    ),
  );
  const allocations = [...ledger.state.allocations.byId.values()].sort((a, b) => a.NameIndex - b.NameIndex);
  const task = job.TaskGroups[0]?.Tasks[0]?.Name ?? "";
  const report = (at: number, ClientStatus: string, taskState = ClientStatus) => {
    const TaskStates = { [task]: TaskState.create({ State: taskState }) };
    const update = { ...AllocationUpdate.create(), ID: allocations[at]?.ID ?? "", ClientStatus, TaskStates };
    ledger.run({ $case: "UpdateAllocations", value: { Updates: [update] } });
  };
  return { ledger, allocations, nodes, report };
}

const offered = (ledger: Ledger) =>
  [...ledger.state.services.byId.values()].map((it) => `${it.ServiceName}@${it.AllocID}`).sort();

describe("services", () => {
  test("an allocation that runs: offers its group's and its running tasks', with address, port and filled tags", () => {
    const { ledger, allocations, nodes, report } = world();
    expect(offered(ledger)).toEqual([]);
    report(1, "running");
    const [id, node] = [allocations[1]?.ID, nodes[1]];
    expect(offered(ledger)).toEqual([`front@${id}`, `inner@${id}`]);
    expect([...ledger.state.services.byId.values()][0]).toEqual({
      ID: `_nomad-task-${id}-group-web-front-http`,
      ServiceName: "front",
      Namespace: "default",
      NodeID: node?.ID,
      Datacenter: node?.Datacenter,
      JobID: "web",
      AllocID: id,
      Tags: ["a", "index-1", "on-n2"],
      Address: allocations[1]?.Claims?.HostIPs[0],
      Port: 8080,
      CreateIndex: ledger.state.index,
      ModifyIndex: ledger.state.index,
    });
    expect(ledger.state.services.byId.get(`_nomad-task-${id}-web-inner-9000`)).toMatchObject({ Port: 9000 });
  });

  test.each([["complete"], ["failed"], ["unknown"], ["lost"]])("an allocation that is %s: offers none", (status) => {
    const { ledger, report } = world();
    report(0, "running");
    report(0, status, "dead");
    expect(offered(ledger)).toEqual([]);
    expect(ledger.state.services.changedAt.get("default/front")).toBe(ledger.state.index);
  });

  test("a task that waits: its services are not offered yet, those of its group are", () => {
    const { ledger, allocations, report } = world();
    report(0, "running", "pending");
    expect(offered(ledger)).toEqual([`front@${allocations[0]?.ID}`]);
  });

  test("a job that is purged: takes its services with it", () => {
    const { ledger, report } = world();
    report(0, "running");
    report(1, "running");
    const value = { Namespace: "default", JobID: "web", Purge: true, EvalPriority: 0, NoShutdownDelay: false };
    ledger.run({ $case: "DeregisterJob", value });
    expect([offered(ledger), ledger.state.services.byService.size]).toEqual([[], 0]);
  });

  test("one that is taken back: stays away while its allocation runs on, and comes with its next start", () => {
    const { ledger, allocations, report } = world();
    report(0, "running");
    const ID = `_nomad-task-${allocations[0]?.ID}-group-web-front-http`;
    const takeBack = { $case: "DeregisterService", value: { Namespace: "default", ID } } as const;
    expect(ledger.run(takeBack).Refusal).toBeUndefined();
    report(0, "running");
    expect(offered(ledger)).toEqual([`inner@${allocations[0]?.ID}`]);
    expect(ledger.run(takeBack).Refusal).toEqual({ Code: "not-found", Message: "service registration not found" });
    report(0, "pending");
    report(0, "running");
    expect(offered(ledger)).toHaveLength(2);
  });

  test("an entry that changes no service: wakes nobody who waits for one", () => {
    const { ledger, report } = world();
    report(0, "running");
    const update = { ...AllocationUpdate.create(), ID: "nobody", ClientStatus: "running" };
    const { changes } = ledger.step({ $case: "UpdateAllocations", value: { Updates: [update] } });
    expect([changes.services.size, changes.tables.has("services")]).toEqual([0, false]);
  });

  test("a snapshot: keeps registrations, those taken back too, and their indexes", () => {
    const { ledger, allocations, report } = world();
    report(0, "running");
    report(1, "running");
    const ID = `_nomad-task-${allocations[0]?.ID}-group-web-front-http`;
    ledger.run({ $case: "DeregisterService", value: { Namespace: "default", ID } });
    const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    expect([...restored.services.byId.values()]).toEqual([...ledger.state.services.byId.values()]);
    expect(restored.services.changedAt.get("default/front")).toBe(ledger.state.index);
    expect(restored.indexes.changedAt("services")).toBe(ledger.state.index);
    expect(ledger.replay().services.byId).toEqual(ledger.state.services.byId);
  });
});
