import { mockJob, mockNode } from "@steppe/model/internal";
import { AllocationUpdate, NetworkResource, Service } from "@steppe/proto";
import { planFor } from "@steppe/state/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

let region: HttpRegion;
let allocations: string[];

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

beforeEach(async () => {
  region = await openHttpRegion();
  const job = mockJob({ ID: "web" });
  for (const group of job.TaskGroups) {
    group.Count = 3;
    group.Networks = [NetworkResource.create({ ReservedPorts: [{ Label: "http", Value: 8080 }] })];
    group.Services = [Service.create({ Name: "front", Provider: "nomad", PortLabel: "http", Tags: ["a"] })];
  }
  for (let n = 1; n <= 3; n++) {
    await region.run({ $case: "RegisterNode", value: { Node: mockNode({ ID: id(n), Name: `n${n}` }) } });
  }
  const { json } = await region.register(job);
  let minted = 10;
  const ledger = { state: region.replica.state, id: () => id(minted++) };
  const rows: [number, string][] = [1, 2, 3].map((n) => [n - 1, id(n)]);
  const plan = planFor(ledger, json.EvalID, "web", job.TaskGroups[0]?.Name ?? "", rows);
  await region.run({ $case: "ApplyPlan", value: plan });
  allocations = [...region.replica.state.allocations.byId.keys()];
});

afterEach(() => region.close());

const report = (ids: readonly string[], ClientStatus: string) =>
  region.run({
    $case: "UpdateAllocations",
    value: { Updates: ids.map((ID) => ({ ...AllocationUpdate.create(), ID, ClientStatus })) },
  });
const get = (url: string) => region.call("GET", url);

describe("services", () => {
  test("before anything runs: lists are empty, an unknown service too", async () => {
    expect((await get("/v1/services")).json).toEqual([]);
    expect(await get("/v1/service/front")).toMatchObject({ status: 200, json: [] });
    expect(await get("/v1/job/web/services")).toMatchObject({ status: 200, json: [] });
    expect(await get("/v1/job/nope/services")).toMatchObject({ status: 404, text: "job not found" });
    expect(await get(`/v1/allocation/${id(99)}/services`)).toMatchObject({ status: 404, text: "alloc not found" });
  });

  test("of running allocations: listed by namespace, by name, by job and by allocation", async () => {
    await report(allocations, "running");
    expect((await get("/v1/services?namespace=*")).json).toEqual([
      { Namespace: "default", Services: [{ ServiceName: "front", Tags: ["a"] }] },
    ]);
    expect((await get("/v1/services?namespace=other")).json).toEqual([]);
    const { json } = await get("/v1/service/front");
    expect(json).toHaveLength(3);
    expect(json[0]).toMatchObject({ ServiceName: "front", JobID: "web", Port: 8080, Tags: ["a"], Datacenter: "dc1" });
    expect((await get("/v1/job/web/services")).json).toHaveLength(3);
    expect((await get(`/v1/allocation/${allocations[0]}/services`)).json).toMatchObject([{ AllocID: allocations[0] }]);
    const filter = encodeURIComponent(`NodeID == \`${id(2)}\``);
    expect((await get(`/v1/service/front?filter=${filter}`)).json).toMatchObject([{ NodeID: id(2) }]);
    const page = await get("/v1/service/front?per_page=2");
    expect([page.json.length, page.headers["x-nomad-nexttoken"]]).toEqual([2, expect.stringContaining("_nomad-task-")]);
  });

  test("choose: the same few for a key, and most of them still when another goes", async () => {
    await report(allocations, "running");
    const choose = async (count: number, key: string) =>
      (await get(`/v1/service/front?choose=${count}|${key}`)).json.map((it: { AllocID: string }) => it.AllocID);
    const two = await choose(2, "me");
    expect(await choose(2, "me")).toEqual(two);
    expect(await choose(9, "me")).toHaveLength(3);
    const [dropped] = allocations.filter((it) => !two.includes(it));
    await report([dropped as string], "complete");
    expect(await choose(2, "me")).toEqual(two);
    const bad = await get("/v1/service/front?choose=x");
    expect([bad.status, bad.text]).toEqual([400, "Parameter for choose must be in form '<number>|<key>'"]);
  });

  test("a blocking read: is woken when the service changes, not by other writes", async () => {
    await report(allocations, "running");
    const index = Number((await get("/v1/service/front")).headers["x-nomad-index"]);
    const waiting = get(`/v1/service/front?index=${index}&wait=60s`);
    await region.register(mockJob({ ID: "other" }));
    await report(allocations.slice(0, 1), "complete");
    const answer = await waiting;
    expect(answer.json).toHaveLength(2);
    expect(Number(answer.headers["x-nomad-index"])).toBe(region.replica.state.index);
  });

  test("DELETE: takes one back; an unknown one is 404", async () => {
    await report(allocations, "running");
    const [first] = (await get("/v1/service/front")).json;
    const gone = await region.call("DELETE", `/v1/service/front/${first.ID}`);
    expect([gone.status, gone.text, Number(gone.headers["x-nomad-index"]) > 0]).toEqual([200, "", true]);
    expect((await get("/v1/service/front")).json).toHaveLength(2);
    const again = await region.call("DELETE", `/v1/service/front/${first.ID}`);
    expect([again.status, again.text]).toEqual([404, "service registration not found"]);
    expect((await region.call("DELETE", "/v1/service/front")).status).toBe(400);
  });
});
