import { mockBatchJob, mockJob, mockNode, mockSystemJob } from "@steppe/model/internal";
import {
  AllocationUpdate,
  ClaimLease,
  type Job,
  NetworkResource,
  type Node,
  type Plan,
  RegisterJob,
  RequestedDevice,
  UpdateNodeStatus,
} from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { DigestMismatchError } from "./commands/lease.ts";
import { decodeSnapshot } from "./decode-snapshot.ts";
import { encodeSnapshot } from "./encode-snapshot.ts";
import { Ledger, planFor } from "./testing/ledger.ts";

const register = (job: Job, fields: Partial<RegisterJob> = {}) =>
  ({ $case: "RegisterJob", value: { ...RegisterJob.create(), Job: job, ...fields } }) as const;
const addNode = (node: Node) => ({ $case: "RegisterNode", value: { Node: node } }) as const;
const submit = (plan: Plan) => ({ $case: "ApplyPlan", value: plan }) as const;
const report = (id: string, status: string) => ({
  $case: "UpdateAllocations" as const,
  value: { Updates: [{ ...AllocationUpdate.create(), ID: id, ClientStatus: status }] },
});
const stopJob = (id: string, purge = false) =>
  ({
    $case: "DeregisterJob",
    value: { Namespace: "default", JobID: id, Purge: purge, EvalPriority: 0, NoShutdownDelay: false },
  }) as const;

/** A region with two nodes and one service job whose evaluation is open. */
function world(count = 4) {
  const ledger = new Ledger();
  const nodes = [mockNode({ ID: ledger.id() }), mockNode({ ID: ledger.id() })];
  for (const node of nodes) ledger.run(addNode(node));
  const job = mockJob({ ID: "web" });
  for (const group of job.TaskGroups) group.Count = count;
  const outcome = ledger.run(register(job));
  const group = job.TaskGroups[0]?.Name ?? "";
  return { ledger, nodes: nodes.map((node) => node.ID) as [string, string], evalId: outcome.EvalID, group };
}

/** A job that asks for a static port, a dynamic one and a device, with a plan that gives one allocation all of it. */
function claiming(id: string) {
  const ledger = new Ledger();
  const gpus = { Type: "gpu", Name: "g", Instances: [{ ID: "g0", Healthy: true }] };
  const node = mockNode({ ID: ledger.id(), NodeResources: { ...mockNode().NodeResources, Devices: [gpus] } });
  ledger.run(addNode(node));
  const job = mockJob({ ID: id });
  for (const group of job.TaskGroups) {
    group.Networks = [
      NetworkResource.create({ ReservedPorts: [{ Label: "http", Value: 80 }], DynamicPorts: [{ Label: "rpc" }] }),
    ];
    group.Tasks[0]?.Resources?.Devices.push(RequestedDevice.create({ Name: "gpu", Count: 1 }));
  }
  const { EvalID } = ledger.run(register(job));
  const plan = (nodeId: string): Plan => {
    const made = planFor(ledger, EvalID, id, "web", [[0, nodeId]]);
    for (const placements of made.Placements) {
      placements.DynamicPorts = [20_500];
      placements.Devices = [{ Devices: [{ Vendor: "", Type: "gpu", Name: "g", DeviceIDs: ["g0"] }] }];
    }
    return made;
  };
  return { ledger, nodes: [node.ID] as [string], plan };
}

const jobOf = (ledger: Ledger, id = "web") => ledger.state.jobs.get("default", id);
const liveOf = (ledger: Ledger, id = "web") => [...(jobOf(ledger, id)?.allocations ?? [])].filter((it) => !it.terminal);

describe("register job", () => {
  test("a new job, creates version 0 and a pending evaluation at one index", () => {
    const { ledger, evalId } = world();
    expect(jobOf(ledger)?.job).toMatchObject({
      Version: 0,
      CreateIndex: 3,
      ModifyIndex: 3,
      JobModifyIndex: 3,
      Status: "pending",
    });
    expect(ledger.state.evaluations.get(evalId)).toMatchObject({
      Status: "pending",
      CreateIndex: 3,
      TriggeredBy: "job-register",
    });
  });

  test("an unchanged specification, keeps the version but evaluates", () => {
    const { ledger } = world();
    const again = ledger.run(register({ ...(jobOf(ledger)?.job as Job) }));
    expect(again).toMatchObject({ JobModifyIndex: 3, EvalCreateIndex: 4 });
    expect(jobOf(ledger)?.versions).toHaveLength(1);
  });

  test("a changed specification, makes the next version and keeps six of them", () => {
    const { ledger } = world();
    for (let priority = 60; priority < 68; priority++) ledger.run(register(mockJob({ ID: "web", Priority: priority })));
    expect(jobOf(ledger)?.job).toMatchObject({ Version: 8, CreateIndex: 3, Priority: 67 });
    expect(jobOf(ledger)?.versions.map(({ Version }) => Version)).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test.each([
    [0, "web", "Enforcing job modify index 0: job already exists"],
    [7, "web", "Enforcing job modify index 7: job exists with conflicting job modify index: 3"],
    [7, "other", "Enforcing job modify index 7: job does not exist"],
  ])("EnforceIndex %i on %s, refuses with the peer's text and changes nothing", (index, id, text) => {
    const { ledger } = world();
    const before = ledger.state.jobs.byKey.size;
    const outcome = ledger.run(
      register(mockJob({ ID: id, Priority: 99 }), { EnforceIndex: true, JobModifyIndex: index }),
    );
    expect(outcome.Refusal).toEqual({ Code: "refused", Message: text });
    expect([ledger.state.jobs.byKey.size, jobOf(ledger)?.job.Version]).toEqual([before, 0]);
  });

  test("EnforceIndex with the right index, takes effect once however often it is sent", () => {
    const { ledger } = world();
    const command = register(mockJob({ ID: "web", Priority: 99 }), { EnforceIndex: true, JobModifyIndex: 3 });
    const first = ledger.run(command, "request-1");
    const second = ledger.run(command, "request-1");
    expect(first.Refusal).toBeUndefined();
    expect(second).toEqual(first);
    expect(jobOf(ledger)?.job.Version).toBe(1);
  });

  test("another type, refuses", () => {
    const { ledger } = world();
    const outcome = ledger.run(register(mockBatchJob({ ID: "web" })));
    expect(outcome.Refusal?.Message).toBe('cannot update job from type "service" to "batch"');
  });
});

describe("apply plan", () => {
  test("rows that fit, become allocations and end the evaluation", () => {
    const { ledger, nodes, evalId, group } = world();
    const outcome = ledger.run(
      submit(
        planFor(ledger, evalId, "web", group, [
          [0, nodes[0]],
          [1, nodes[1]],
        ]),
      ),
    );
    expect(outcome).toMatchObject({ Placed: 2, RejectedNodes: [] });
    expect(
      liveOf(ledger)
        .map((it) => it.Name)
        .sort(),
    ).toEqual([`web.${group}[0]`, `web.${group}[1]`]);
    expect(ledger.state.evaluations.get(evalId)?.Status).toBe("complete");
    expect(jobOf(ledger)?.job.Status).toBe("running");
    expect(jobOf(ledger)?.summary.Summary[group]?.Starting).toBe(2);
  });

  test("a summary that somebody holds, stays as it was while the state counts on", () => {
    const { ledger, nodes, evalId, group } = world();
    const held = jobOf(ledger)?.summary;
    const before = structuredClone(held);
    ledger.run(submit(planFor(ledger, evalId, "web", group, [[0, nodes[0]]])));
    const placed = jobOf(ledger)?.summary;
    ledger.run(report(liveOf(ledger)[0]?.ID ?? "", "running"));
    expect(held).toEqual(before);
    expect(placed?.Summary[group]).toMatchObject({ Starting: 1, Running: 0 });
    expect(jobOf(ledger)?.summary.Summary[group]).toMatchObject({ Starting: 0, Running: 1 });
  });

  test("a name that another plan took, refuses that row only and leaves the evaluation open", () => {
    const { ledger, nodes, evalId, group } = world();
    const late = planFor(ledger, evalId, "web", group, [
      [0, nodes[1]],
      [1, nodes[1]],
    ]);
    const first = planFor(ledger, evalId, "web", group, [[0, nodes[0]]]);
    ledger.run(submit({ ...first, Result: undefined }));
    const outcome = ledger.run(submit(late));
    expect(outcome).toMatchObject({ Placed: 1, RejectedNodes: [nodes[1]] });
    expect(
      liveOf(ledger)
        .map((it) => it.NameIndex)
        .sort(),
    ).toEqual([0, 1]);
    expect(ledger.state.evaluations.get(evalId)?.Status).toBe("pending");
  });

  test("a node filled by an earlier plan, takes no more than it has", () => {
    const { ledger, nodes, evalId, group } = world(100);
    const rows = Array.from({ length: 100 }, (_, n): [number, string] => [n, nodes[0]]);
    const outcome = ledger.run(submit(planFor(ledger, evalId, "web", group, rows)));
    const slot = ledger.state.nodes.slot(nodes[0]);
    const { usedCpu, cpu, usedMemory, memory } = ledger.state.nodes;
    expect(outcome.Placed).toBeGreaterThan(0);
    expect(outcome.Placed).toBeLessThan(100);
    expect(usedCpu[slot]).toBeLessThanOrEqual(cpu[slot] as number);
    expect(usedMemory[slot]).toBeLessThanOrEqual(memory[slot] as number);
  });

  test("all at once with one row refused, places nothing", () => {
    const { ledger, nodes, evalId, group } = world();
    const plan = planFor(ledger, evalId, "web", group, [
      [0, nodes[0]],
      [0, nodes[1]],
    ]);
    expect(ledger.run(submit({ ...plan, AllAtOnce: true })).Placed).toBe(0);
    expect(liveOf(ledger)).toHaveLength(0);
  });

  test("a job that changed meanwhile, refuses the plan whole", () => {
    const { ledger, nodes, evalId, group } = world();
    const plan = planFor(ledger, evalId, "web", group, [[0, nodes[0]]]);
    ledger.run(register(mockJob({ ID: "web", Priority: 77 })));
    expect(ledger.run(submit(plan)).Refusal?.Code).toBe("stale-plan");
  });

  test("an evaluation that was processed, refuses the plan whole", () => {
    const { ledger, nodes, evalId, group } = world();
    const plan = planFor(ledger, evalId, "web", group, [[0, nodes[0]]]);
    ledger.run(submit(planFor(ledger, evalId, "web", group, [])));
    expect(ledger.run(submit(plan)).Refusal?.Code).toBe("stale-plan");
  });

  test("a node that is down, takes no placement", () => {
    const { ledger, nodes, evalId, group } = world();
    ledger.run({
      $case: "UpdateNodeStatus",
      value: { ...UpdateNodeStatus.create(), NodeIDs: [nodes[0]], Status: "down" },
    });
    const outcome = ledger.run(submit(planFor(ledger, evalId, "web", group, [[0, nodes[0]]])));
    expect(outcome).toMatchObject({ Placed: 0, RejectedNodes: [nodes[0]] });
  });
});

/** A world with two allocations placed. */
function placed() {
  const it = world();
  it.ledger.run(
    submit(
      planFor(it.ledger, it.evalId, "web", it.group, [
        [0, it.nodes[0]],
        [1, it.nodes[1]],
      ]),
    ),
  );
  return it;
}

describe("allocations", () => {
  test("a failure reported by the agent, frees name and room and evaluates the job", () => {
    const { ledger, nodes, group } = placed();
    const [first] = liveOf(ledger);
    ledger.run(report(first?.ID ?? "", "failed"));
    expect(ledger.state.nodes.usedCpu[ledger.state.nodes.slot(nodes[0])]).toBe(0);
    expect([0, 1, 2].map((it) => jobOf(ledger)?.names.get(group)?.get(it))).toEqual([0, 1, 0]);
    const triggers = [...ledger.state.evaluations.byId.values()].map((it) => it.TriggeredBy);
    expect(triggers).toContain("alloc-failure");
  });

  test("a report on an allocation given up for lost, is dropped", () => {
    const { ledger, nodes } = placed();
    ledger.run({ $case: "DeregisterNodes", value: { NodeIDs: [nodes[0]] } });
    const lost = [...(jobOf(ledger)?.allocations ?? [])].find((it) => it.NodeID === nodes[0]);
    ledger.run(report(lost?.ID ?? "", "running"));
    expect(lost?.ClientStatus).toBe("lost");
  });

  test("a node that goes down, evaluates each job on it once", () => {
    const { ledger, nodes } = placed();
    const before = ledger.state.evaluations.byId.size;
    ledger.run({ $case: "UpdateNodeStatus", value: { ...UpdateNodeStatus.create(), NodeIDs: nodes, Status: "down" } });
    expect(ledger.state.evaluations.byId.size).toBe(before + 1);
  });

  test("a new node, evaluates system jobs only", () => {
    const { ledger } = placed();
    ledger.run(register(mockSystemJob({ ID: "agent" })));
    const before = ledger.state.evaluations.byId.size;
    ledger.run(addNode(mockNode({ ID: ledger.id() })));
    expect(ledger.state.evaluations.byId.size).toBe(before + 1);
    expect(ledger.state.evaluations.ofJob("default", "agent")?.open).toBe(2);
  });
});

describe("deregister job", () => {
  test("without purge, keeps the job stopped as a new version", () => {
    const { ledger } = placed();
    const outcome = ledger.run(stopJob("web"));
    expect(jobOf(ledger)?.job).toMatchObject({ Stop: true, Version: 1, Status: "running" });
    expect(outcome.EvalID).not.toBe("");
  });

  test("with purge, removes the job, its allocations and closes its evaluations", () => {
    const { ledger, nodes } = placed();
    ledger.run(stopJob("web", true));
    expect(jobOf(ledger)).toBeUndefined();
    expect(ledger.state.allocations.byId.size).toBe(0);
    expect(ledger.state.nodes.usedMemory[ledger.state.nodes.slot(nodes[0])]).toBe(0);
  });

  test("an unknown job, is no error and writes nothing", () => {
    const { ledger } = placed();
    expect(ledger.run(stopJob("nothing"))).toMatchObject({ EvalID: "", Refusal: undefined });
  });
});

describe("lease", () => {
  const claim = (holder: string, term = 0, digest: Partial<ClaimLease> = {}) =>
    ({
      $case: "ClaimLease",
      value: { ...ClaimLease.create(), Holder: holder, TTL: 3e9, Term: term, ...digest },
    }) as const;

  test("a claim before the last lease has run out in log time, is refused", () => {
    const ledger = new Ledger();
    expect(ledger.run(claim("a")).Term).toBe(1);
    expect(ledger.run(claim("b")).Refusal?.Code).toBe("stale-term");
    ledger.now += 3e9;
    expect(ledger.run(claim("b")).Term).toBe(2);
  });

  test("a claim that knows nothing of the last renewal, is refused though log time jumped past its end", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    const seen = { SeenIndex: ledger.state.lease?.Index };
    ledger.run(claim("a", 1));
    // A server with a fast clock is back.
    ledger.now += 60e9;
    expect(ledger.run(claim("b", 0, seen)).Refusal?.Code).toBe("stale-term");
    expect(ledger.run(claim("b", 0, { SeenIndex: ledger.state.lease?.Index })).Term).toBe(2);
  });

  test("a renewal after another took the lease, is refused, as is all of the old term", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    ledger.now += 4e9;
    ledger.run(claim("b"));
    expect(ledger.run(claim("a", 1)).Refusal?.Code).toBe("stale-term");
    const late = ledger.run({ $case: "UpsertEvaluations", value: { Term: 1, Evaluations: [] } });
    expect(late.Refusal?.Code).toBe("stale-term");
  });

  test("a clock that goes back, does not take log time back", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    const time = ledger.state.time;
    ledger.now -= 60e9;
    ledger.run(claim("b"));
    expect(ledger.state.time).toBe(time);
    expect(ledger.state.lease?.Holder).toBe("a");
  });

  test("a digest that differs at the same index, stops the replica", () => {
    const ledger = new Ledger();
    ledger.run(claim("a"));
    const Digest = ledger.state.digests.at(1) ?? 0;
    expect(ledger.run(claim("a", 1, { DigestIndex: 1, Digest })).Refusal).toBeUndefined();
    expect(() => ledger.run(claim("a", 1, { DigestIndex: 1, Digest: Digest + 1 }))).toThrow(DigestMismatchError);
  });
});

describe("periodic launch", () => {
  const launch = (time: number, forced = false) =>
    ({
      $case: "LaunchPeriodic",
      value: { Namespace: "default", JobID: "cron", LaunchTime: time, Forced: forced, Term: 1 },
    }) as const;

  function periodicWorld(overlap = false) {
    const ledger = new Ledger();
    ledger.run({ $case: "ClaimLease", value: { ...ClaimLease.create(), Holder: "a", TTL: 1e15 } });
    const job = mockBatchJob({ ID: "cron" });
    job.Periodic = {
      Enabled: true,
      Spec: "* * * * *",
      Specs: [],
      SpecType: "cron",
      ProhibitOverlap: overlap,
      TimeZone: "UTC",
    };
    const outcome = ledger.run(register(job));
    return { ledger, outcome };
  }

  test("registering, makes no evaluation; a tick makes a child with one", () => {
    const { ledger, outcome } = periodicWorld();
    expect(outcome.EvalID).toBe("");
    const child = ledger.run(launch(ledger.now + 60e9));
    expect(child.JobID).toBe(`cron/periodic-${1_700_000_060}`);
    expect(ledger.state.evaluations.get(child.EvalID)?.TriggeredBy).toBe("periodic-job");
    expect(jobOf(ledger, "cron")?.summary.Children).toMatchObject({ Pending: 1 });
  });

  test("the same tick from two leaders, launches once", () => {
    const { ledger } = periodicWorld();
    ledger.run(launch(ledger.now + 60e9));
    expect(ledger.run(launch(ledger.now + 60e9)).JobID).toBe("");
    expect(jobOf(ledger, "cron")?.children.size).toBe(1);
  });

  test("overlap prohibited and a child alive, skips the tick but not a forced launch", () => {
    const { ledger } = periodicWorld(true);
    ledger.run(launch(ledger.now + 60e9));
    expect(ledger.run(launch(ledger.now + 120e9)).JobID).toBe("");
    expect(ledger.run(launch(ledger.now + 120e9, true)).JobID).not.toBe("");
  });

  test("two forced launches in one second, make two children", () => {
    const { ledger } = periodicWorld();
    const ids = [ledger.run(launch(ledger.now, true)).JobID, ledger.run(launch(ledger.now, true)).JobID];
    expect(ids).toEqual(["cron/periodic-1700000000", "cron/periodic-1700000001"]);
  });
});

describe("replicas", () => {
  test("the same entries, give the same digest and the same snapshot", () => {
    const { ledger } = placed();
    ledger.run(stopJob("web"));
    const other = ledger.replay();
    expect(other.digest.value).toBe(ledger.state.digest.value);
    expect([...encodeSnapshot(other)]).toEqual([...encodeSnapshot(ledger.state)]);
  });

  test("a snapshot in the middle and the entries behind it, give the same state as all entries", () => {
    const { ledger } = placed();
    const early = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    ledger.run(register(mockJob({ ID: "web", Priority: 70 })));
    const [first] = liveOf(ledger);
    ledger.run(report(first?.ID ?? "", "running"));
    ledger.run(stopJob("web"));
    const late = ledger.replay(early);
    expect(late.digest.value).toBe(ledger.state.digest.value);
    expect([...encodeSnapshot(late)]).toEqual([...encodeSnapshot(ledger.state)]);
  });

  test("ports and devices outlive a snapshot, and stay taken", () => {
    const { ledger, nodes, plan } = claiming("a");
    expect(ledger.run(submit(plan(nodes[0]))).Placed).toBe(1);
    const restored = decodeSnapshot(Buffer.concat([...encodeSnapshot(ledger.state)]));
    const [claims] = [...restored.allocations.byId.values()].map((it) => it.Claims);
    expect(claims).toMatchObject({ Ports: [80, 20_500], HostIPs: ["192.168.0.100", "192.168.0.100"] });
    expect(claims?.Devices).toEqual([{ Vendor: "", Type: "gpu", Name: "g", DeviceIDs: ["g0"] }]);
    const slot = restored.nodes.slot(nodes[0]);
    expect(restored.nodes.holdings[slot]).toEqual(ledger.state.nodes.holdings[ledger.state.nodes.slot(nodes[0])]);
    expect(restored.nodes.portsHeld[slot]).toBe(2);
  });

  test("ports and devices of an allocation that ends are free, and nothing is kept of them", () => {
    const { ledger, nodes, plan } = claiming("a");
    ledger.run(submit(plan(nodes[0])));
    ledger.run(report(liveOf(ledger, "a")[0]?.ID ?? "", "failed"));
    const slot = ledger.state.nodes.slot(nodes[0]);
    expect(ledger.state.nodes.holdings[slot]).toBeUndefined();
    expect(ledger.state.nodes.portsHeld[slot]).toBe(0);
  });

  test("a snapshot cut short or of another format, is refused with the reason", () => {
    const { ledger } = placed();
    const bytes = Buffer.concat([...encodeSnapshot(ledger.state)]);
    expect(() => decodeSnapshot(bytes.subarray(0, bytes.length - 3))).toThrow("snapshot is cut short");
    expect(() => decodeSnapshot(bytes.subarray(0, 4 + bytes.readUInt32BE(0)))).toThrow("snapshot is cut short");
  });
});
