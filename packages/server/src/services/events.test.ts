// Events of a real replica: what is read back from the log is what was told when it happened.
import type { Call } from "@steppe/model";
import { silentLogger } from "@steppe/model";
import { mockJob, mockNode } from "@steppe/model/internal";
import {
  AllocationUpdate,
  Entry,
  type EventBatch,
  EventStreamRequest,
  type Job,
  NodePool,
  ServiceRegistration,
} from "@steppe/proto";
import { Changes, State } from "@steppe/state";
import { planFor } from "@steppe/state/internal";
import { expect, onTestFinished, test } from "vitest";
import { deriveEvents } from "../events/derive-events.ts";
import { takeSnapshot } from "../snapshots.ts";
import { openLocalRegion } from "../testing/local-region.ts";
import { createEvents, LARGE_MIN } from "./events.ts";

async function world() {
  const region = await openLocalRegion(silentLogger);
  onTestFinished(() => region.close());
  const call: Call = { signal: new AbortController().signal, timeoutMs: 5000 };
  const write = (kind: Parameters<typeof region.writer.write>[2]) => region.writer.write(undefined, call, kind);
  const register = (job: Job) =>
    write({
      $case: "RegisterJob",
      value: {
        Job: job,
        EnforceIndex: false,
        JobModifyIndex: 0,
        EvalPriority: 0,
        PreserveCounts: false,
        PreserveResources: false,
        Submission: undefined,
        CheckPlace: false,
      },
    });
  /** Some of everything: nodes, jobs and their evaluations, a stop and a purge. */
  const history = async () => {
    await write({ $case: "RegisterNode", value: { Node: mockNode() } });
    await register(mockJob({ ID: "web" }));
    await register(mockJob({ ID: "web", Priority: 70 }));
    await register(mockJob({ ID: "other" }));
    const parts = { Namespace: "default", EvalPriority: 0, NoShutdownDelay: false };
    await write({ $case: "DeregisterJob", value: { ...parts, JobID: "web", Purge: false } });
    await write({ $case: "DeregisterJob", value: { ...parts, JobID: "other", Purge: true } });
    await write({ $case: "DeregisterNodes", value: { NodeIDs: [mockNode().ID] } });
  };
  return { region, write, register, history };
}

/** Batches from an index on, up to and including that of another. */
async function read(events: ReturnType<typeof createEvents>, from: number, to: number): Promise<EventBatch[]> {
  const reader = new AbortController();
  const request = { ...EventStreamRequest.create(), Index: from };
  const batches: EventBatch[] = [];
  for await (const batch of events.stream(request, { signal: reader.signal, timeoutMs: 0 })) {
    if (batch.Index > 0) batches.push(batch);
    if (batch.Index >= to) break;
  }
  return batches;
}

const namesOf = (batches: readonly EventBatch[]) =>
  batches.map(({ Events }) =>
    Events.map(({ Topic, Type, Key }) => `${Topic} ${Type} ${Topic === "Evaluation" ? "" : Key}`),
  );

test("events, of a registration, an update, a stop, a purge and nodes: one batch an entry, named by what was done", async () => {
  const { region, history } = await world();
  await history();
  const node = mockNode().ID;
  expect(namesOf(await read(region.services.events, 1, region.replica.view.index))).toEqual([
    [`Node NodeRegistration ${node}`],
    ["Job JobRegistered web", "Evaluation JobRegistered "],
    ["Job JobRegistered web", "Evaluation JobRegistered "],
    ["Job JobRegistered other", "Evaluation JobRegistered "],
    ["Job JobDeregistered web", "Evaluation JobDeregistered "],
    ["Job JobDeregistered other", "Evaluation JobDeregistered ", "Evaluation JobDeregistered "],
    [`Node NodeDeregistration ${node}`],
  ]);
});

test("events, of a node pool that comes and goes, name it and show it as it was", async () => {
  const { region, write } = await world();
  const pool = NodePool.create({ Name: "gpu", Description: "for models" });
  await write({ $case: "UpsertNodePools", value: { NodePools: [pool], OnlyNew: false } });
  await write({ $case: "DeleteNodePools", value: { Names: ["gpu"], Region: "us" } });
  const batches = await read(region.services.events, 1, region.replica.view.index);
  expect(namesOf(batches)).toEqual([["NodePool NodePoolUpserted gpu"], ["NodePool NodePoolDeleted gpu"]]);
  const shown = batches.flatMap(({ Events }) => Events.map(({ Payload }) => JSON.parse(Payload).NodePool.Description));
  expect(shown).toEqual(["for models", "for models"]);
});

test("events, of services that follow from an allocation, have the registration and their job and name as keys", () => {
  const registration = ServiceRegistration.create({
    ID: "s1",
    ServiceName: "web",
    JobID: "shop",
    Namespace: "default",
  });
  const gone = { ...registration, ID: "s2" };
  const changes = new Changes(7);
  changes.registrations.set("s1", registration);
  changes.removedRegistrations.set("s2", gone);
  const made = deriveEvents(Entry.create(), changes, new State())?.events() ?? [];
  expect(made).toMatchObject([
    { Topic: "Service", Type: "ServiceRegistration", Key: "s1", FilterKeys: ["shop", "web"], Namespace: "default" },
    { Topic: "Service", Type: "ServiceDeregistration", Key: "s2" },
  ]);
  expect(JSON.parse(made[0]?.Payload ?? "")).toMatchObject({ Service: { ID: "s1", ServiceName: "web" } });
});

test("events, of a purged job, show it as it was; tokens and secrets are in none", async () => {
  const { region, register, history } = await world();
  await register(mockJob({ ID: "secret", VaultToken: "v-token", ConsulToken: "c-token" }));
  await history();
  const batches = await read(region.services.events, 1, region.replica.view.index);
  const purged = batches.at(-2)?.Events[0];
  expect(JSON.parse(purged?.Payload ?? "").Job).toMatchObject({ ID: "other", TaskGroups: [{ Name: "web" }] });
  const text = JSON.stringify(batches);
  for (const secret of ["v-token", "c-token", mockNode().SecretID]) expect(text).not.toContain(secret);
});

test("events, that only the log still has, are read back as they were told", async () => {
  const { region, history, register } = await world();
  await history();
  const told = await read(region.services.events, 1, region.replica.view.index);
  // A server that comes later has nothing at hand.
  const later = createEvents(region.replica, {
    monotonicMs: () => 0,
    wallNs: () => 0,
    after: () => new Promise(() => {}),
  });
  expect(await read(later, 1, region.replica.view.index)).toEqual(told);
  expect(await read(later, 4, region.replica.view.index)).toEqual(told.filter(({ Index }) => Index >= 4));
  const fresh = read(later, region.replica.view.index, region.replica.view.index + 1);
  await register(mockJob({ ID: "new" }));
  expect((await fresh).map(({ Index }) => Index)).toEqual([7, 8]);
});

test("events, before the newest snapshot, are refused with the oldest index there is", async () => {
  const { region, history, register } = await world();
  await history();
  await takeSnapshot(region.replica);
  await register(mockJob({ ID: "new" }));
  const later = createEvents(region.replica, {
    monotonicMs: () => 0,
    wallNs: () => 0,
    after: () => new Promise(() => {}),
  });
  await expect(read(later, 7, 8)).rejects.toMatchObject({
    code: "invalid",
    message: "events of index 7 are no longer in the log: the oldest index it still has is 8",
  });
  expect(namesOf(await read(later, 8, 8))).toEqual([["Job JobRegistered new", "Evaluation JobRegistered "]]);
});

test("events of allocations, show each as its entry left it, whatever came after", async () => {
  const { region, write, register } = await world();
  const [node, job] = [mockNode(), mockJob({ ID: "web" })];
  await write({ $case: "RegisterNode", value: { Node: node } });
  const { EvalID } = await register(job);
  const { state } = region.replica;
  const group = job.TaskGroups[0]?.Name ?? "";
  const minted = { state, id: () => "00000000-0000-4000-8000-000000000001" };
  await write({ $case: "ApplyPlan", value: planFor(minted, EvalID, "web", group, [[0, node.ID]]) });
  const placed = region.replica.view.index;
  const [ID = ""] = state.allocations.byId.keys();
  const update = { ...AllocationUpdate.create(), ID, ClientStatus: "running" };
  await write({ $case: "UpdateAllocations", value: { Updates: [update] } });
  const batches = await read(region.services.events, placed, placed + 1);
  const told = batches.flatMap(({ Events }) => Events.filter(({ Topic }) => Topic === "Allocation"));
  expect(told.map(({ Payload }) => JSON.parse(Payload).Allocation)).toMatchObject([
    { ID, ClientStatus: "pending", EvalID, TaskGroup: group, NodeID: node.ID, ModifyIndex: placed },
    { ID, ClientStatus: "running", EvalID, TaskGroup: group, NodeID: node.ID, ModifyIndex: placed + 1 },
  ]);
});

/** A job with so many allocations that its placement is a large entry. */
async function placeMany({ region, write, register }: Awaited<ReturnType<typeof world>>): Promise<number> {
  const [node, job] = [mockNode(), mockJob({ ID: "web" })];
  for (const { Tasks } of job.TaskGroups) for (const { Resources } of Tasks) Object.assign(Resources ?? {}, SMALL);
  await write({ $case: "RegisterNode", value: { Node: node } });
  const { EvalID } = await register(job);
  let minted = 0;
  const ledger = {
    state: region.replica.state,
    id: () => `00000000-0000-4000-8000-${String(++minted).padStart(12, "0")}`,
  };
  const rows = Array.from({ length: LARGE_MIN }, (_, n): [number, string] => [n, node.ID]);
  const group = job.TaskGroups[0]?.Name ?? "";
  const outcome = await write({ $case: "ApplyPlan", value: planFor(ledger, EvalID, "web", group, rows) });
  expect(outcome.Placed).toBe(LARGE_MIN);
  return outcome.Index;
}

const SMALL = { CPU: 1, MemoryMB: 1 };

test("events of a large entry while nobody reads, are read back from the log, and what follows is at hand", async () => {
  const one = await world();
  const { events } = one.region.services;
  const placed = await placeMany(one);
  await one.register(mockJob({ ID: "next" }));
  // Without an index: what is at hand.
  expect((await read(events, 0, placed + 1)).map(({ Index }) => Index)).toEqual([placed + 1]);
  const told = await read(events, 1, placed + 1);
  expect(told.map(({ Index, Events }) => [Index, Events.length])).toEqual([
    [1, 1],
    [2, 2],
    [placed, LARGE_MIN + 2],
    [placed + 1, 2],
  ]);
});

test("events of a large entry while somebody reads or has just left, are told as any other", async () => {
  const one = await world();
  const { events } = one.region.services;
  const first = read(events, 0, 1);
  const reading = read(events, 0, 3);
  const placed = await placeMany(one);
  expect((await first).map(({ Index }) => Index)).toEqual([1]);
  expect((await reading).map(({ Index }) => Index)).toEqual([1, 2, placed]);
  // All of it is still at hand.
  expect((await read(events, 0, placed)).map(({ Index }) => Index)).toEqual([1, 2, placed]);
});
