// A node agent speaks for its own nodes' allocations, with their secrets, and for no others.
import { packReports } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate } from "@steppe/proto";
import type { NodeAgentsService } from "@steppe/regions";
import { planFor } from "@steppe/state/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";
import { createNodeAgents } from "./node-agents.ts";
import { NodeCalls } from "./node-calls.ts";
import { NodeStreams } from "./node-streams.ts";

const OWN = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const call = () => ({ signal: new AbortController().signal, timeoutMs: 10_000 });
const own = { NodeID: OWN, SecretID: "own secret" };
const other = { NodeID: OTHER, SecretID: "other secret" };

let region: HttpRegion;
let agents: NodeAgentsService;
/** One allocation on each node. */
let placed: Record<string, string>;

beforeEach(async () => {
  region = await openHttpRegion();
  const { replica, writer } = region;
  const cutOff = { refuse: () => undefined, signal: () => new AbortController().signal };
  agents = createNodeAgents({
    ...{ replica, writer, cutOff, streams: new NodeStreams(), calls: new NodeCalls() },
    ...{ servers: () => ["127.0.0.1:4647"], heard: () => undefined, heartbeatTtlMs: () => 10_000 },
  });
  const Nodes = [own, other].map(({ NodeID, SecretID }) => mockNode({ ID: NodeID, SecretID, Name: NodeID }));
  await agents.register({ Nodes, RequestID: "" }, call());
  const job = mockJob({ ID: "web" });
  const group = job.TaskGroups[0]?.Name ?? "";
  const { json } = await region.register(job);
  let minted = 10;
  const ledger = { state: replica.state, id: () => `00000000-0000-4000-8000-${String(minted++).padStart(12, "0")}` };
  const plan = planFor(ledger, json.EvalID, "web", group, [
    [0, OWN],
    [1, OTHER],
  ]);
  await region.run({ $case: "ApplyPlan", value: plan });
  placed = Object.fromEntries([...replica.view.allocations.byId.values()].map(({ NodeID, ID }) => [NodeID, ID]));
});

afterEach(() => region.close());

const running = { ...AllocationUpdate.create(), ClientStatus: "running" };
const statuses = () =>
  [OWN, OTHER].map((node) => region.replica.view.allocations.get(placed[node] ?? "")?.ClientStatus);
const reports = (...nodes: string[]) =>
  packReports(nodes.map((node) => ({ ID: placed[node] ?? "", DeploymentID: "", said: running })));

describe("reports of a node agent", () => {
  test.each([
    [
      "as columns",
      (ID: string[], from: (typeof own)[]) =>
        agents.reportAllocations({ Nodes: from, Reports: reports(...ID), RequestID: "" }, call()),
    ],
    [
      "one by one",
      (nodes: string[], from: (typeof own)[]) => {
        const Updates = nodes.map((node) => ({ ...running, ID: placed[node] ?? "" }));
        return agents.updateAllocations({ Nodes: from, Updates, RequestID: "" }, call());
      },
    ],
  ])("%s: of its own nodes take effect; of another's, or with a wrong secret, none of them does", async (_, send) => {
    await expect(send([OWN, OTHER], [own])).rejects.toMatchObject({
      code: "permission-denied",
      message: `allocation ${placed[OTHER]} is not on a node that this update is from`,
    });
    await expect(send([OWN], [{ ...own, SecretID: "guessed" }])).rejects.toMatchObject({ code: "permission-denied" });
    await expect(send([OWN], [{ ...own, NodeID: "unknown" }])).rejects.toMatchObject({ code: "not-found" });
    expect(statuses()).toEqual(["pending", "pending"]);
    await send([OWN], [own]);
    expect(statuses()).toEqual(["running", "pending"]);
    await send([OWN, OTHER], [own, other]);
    expect(statuses()).toEqual(["running", "running"]);
  });

  test("with ids that are cut short, change nothing", async () => {
    const [report] = reports(OWN);
    const Of = [{ DeploymentID: "", AllocIDs: (placed[OWN] ?? "").slice(1) }];
    const sent = agents.reportAllocations(
      { Nodes: [own], Reports: [{ Update: report?.Update, Of }], RequestID: "" },
      call(),
    );
    await expect(sent).rejects.toMatchObject({ code: "invalid" });
    expect(statuses()).toEqual(["pending", "pending"]);
  });
});
