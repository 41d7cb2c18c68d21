// Evaluations, allocations, system duties, variables and search, over the HTTP API on a real replica.
import { mockJob, mockNode } from "@steppe/model/internal";
import { ClaimLease, type Job, ScalingPolicy } from "@steppe/proto";
import { planFor } from "@steppe/state/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

const pause = (PauseEvalBroker: boolean) =>
  region.call("PUT", "/v1/operator/scheduler/configuration", { PauseEvalBroker });

/** A job with one allocation. */
async function placed(job: Job): Promise<string> {
  const node = mockNode({}, 1);
  await region.run({ $case: "RegisterNode", value: { Node: node } });
  const evalId = (await region.register(job)).json.EvalID;
  const id = () => "00000000-0000-4000-8000-0000000000a1";
  const plan = planFor({ state: region.replica.state, id }, evalId, job.ID, "web", [[0, node.ID]]);
  await region.run({ $case: "ApplyPlan", value: plan });
  return (await region.call("GET", `/v1/job/${job.ID}/allocations`)).json[0].ID;
}

describe("evaluations", () => {
  test("count, of all that match, whatever the page", async () => {
    for (const ID of ["a", "b", "c"]) await region.register(mockJob({ ID }));
    const count = async (query: string) => (await region.call("GET", `/v1/evaluations/count${query}`)).json;
    expect(await count("")).toMatchObject({ Count: 3, KnownLeader: false });
    expect((await count("?per_page=1")).Count).toBe(3);
    expect((await count(`?filter=${encodeURIComponent('JobID == "b"')}`)).Count).toBe(1);
  });

  test("deleted by ID or filter while the broker is paused, and only then", async () => {
    const { json } = await region.register(mockJob({ ID: "a" }));
    await region.register(mockJob({ ID: "b" }));
    const remove = (body: object) => region.call("DELETE", "/v1/evaluations", body);
    expect(await remove({ EvalIDs: [json.EvalID] })).toMatchObject({
      status: 500,
      text: "eval broker is enabled; eval broker must be paused to delete evals",
    });
    await pause(true);
    expect((await remove({ EvalIDs: [json.EvalID] })).json).toMatchObject({ Count: 1 });
    expect((await region.call("GET", `/v1/evaluation/${json.EvalID}`)).status).toBe(404);
    expect((await remove({ Filter: 'JobID == "b"' })).json).toMatchObject({ Count: 1 });
    expect((await region.call("GET", "/v1/evaluations")).json).toEqual([]);
    expect(await remove({})).toMatchObject({ status: 400, text: "evals must be deleted by either ID or filter" });
    expect(await remove({ EvalIDs: ["x"], Filter: "y" })).toMatchObject({
      status: 400,
      text: "evals cannot be deleted by both ID and filter",
    });
  });

  test("one that an allocation still runs for, is not deleted", async () => {
    await placed(mockJob({ ID: "web" }));
    await pause(true);
    const [evaluation] = (await region.call("GET", "/v1/job/web/evaluations")).json;
    expect((await region.call("DELETE", "/v1/evaluations", { EvalIDs: [evaluation.ID] })).json.Count).toBe(0);
  });
});

describe("allocations", () => {
  test("list, shows resources and leaves out task states as asked", async () => {
    await placed(mockJob({ ID: "web" }));
    const [plain] = (await region.call("GET", "/v1/allocations")).json;
    expect(plain).not.toHaveProperty("AllocatedResources");
    const [full] = (await region.call("GET", "/v1/allocations?resources=true&task_states=false")).json;
    expect(full).toMatchObject({
      AllocatedResources: { Tasks: { web: { Cpu: { CpuShares: 500 } } } },
      TaskStates: null,
    });
    const refused = await region.call("GET", "/v1/allocations?resources=maybe");
    expect([refused.status, refused.text]).toEqual([500, expect.stringContaining('"resources" (maybe) as a bool')]);
  });

  test("stop, asks the scheduler to move it and tells the evaluation", async () => {
    const id = await placed(mockJob({ ID: "web" }));
    const { json } = await region.call("PUT", `/v1/allocation/${id}/stop?no_shutdown_delay=true`);
    const evaluation = (await region.call("GET", `/v1/evaluation/${json.EvalID}`)).json;
    expect(evaluation).toMatchObject({ TriggeredBy: "alloc-stop", JobID: "web", Status: "pending" });
    const { DesiredTransition } = (await region.call("GET", `/v1/allocation/${id}`)).json;
    expect(DesiredTransition).toMatchObject({ Migrate: true, NoShutdownDelay: true });
    const unknown = await region.call("PUT", "/v1/allocation/00000000-0000-0000-0000-000000000000/stop");
    expect([unknown.status, unknown.text]).toEqual([404, "allocation not found"]);
  });
});

describe("jobs", () => {
  test("stopped without shutdown delay, their allocations are to stop so", async () => {
    const id = await placed(mockJob({ ID: "web" }));
    await region.call("DELETE", "/v1/job/web?no_shutdown_delay=true");
    const { DesiredTransition } = (await region.call("GET", `/v1/allocation/${id}`)).json;
    expect(DesiredTransition).toMatchObject({ NoShutdownDelay: true, Migrate: null });
  });
});

describe("nodes", () => {
  test("list, shows resources and the operating system when asked", async () => {
    await region.run({ $case: "RegisterNode", value: { Node: mockNode({ Attributes: { "os.name": "plan9" } }, 1) } });
    const [plain] = (await region.call("GET", "/v1/nodes")).json;
    for (const field of ["Attributes", "NodeResources", "ReservedResources"]) expect(plain).not.toHaveProperty(field);
    const [full] = (await region.call("GET", "/v1/nodes?resources=true&os=true")).json;
    expect(full).toMatchObject({ Attributes: { "os.name": "plan9" }, NodeResources: { Cpu: {} } });
  });
});

describe("system", () => {
  test("gc, takes away what has ended, and answers with nothing but the index", async () => {
    await region.register(mockJob({ ID: "web" }));
    await region.call("DELETE", "/v1/job/web");
    await pause(true);
    await region.call("DELETE", "/v1/evaluations", { Filter: 'JobID == "web"' });
    const { status, text, headers } = await region.call("PUT", "/v1/system/gc");
    expect([status, text]).toEqual([200, ""]);
    expect(Number(headers["x-nomad-index"])).toBeGreaterThan(0);
    expect((await region.call("GET", "/v1/job/web")).status).toBe(404);
  });

  test("other methods than PUT: 405", async () => {
    for (const path of ["gc", "reconcile/summaries"]) {
      expect((await region.call("PUT", `/v1/system/${path}`)).status).toBe(200);
      expect(await region.call("POST", `/v1/system/${path}`)).toMatchObject({ status: 405, text: "Invalid method" });
    }
  });
});

describe("variables", () => {
  const put = (path: string, Items: object, query = "") => region.call("PUT", `/v1/var/${path}${query}`, { Items });

  test("written, read, listed without items and deleted", async () => {
    const { json } = await put("app/db", { password: "hush" });
    expect(json).toMatchObject({ Namespace: "default", Path: "app/db", Items: { password: "hush" } });
    expect(json.CreateIndex).toBe(json.ModifyIndex);
    expect((await region.call("GET", "/v1/var/app/db")).json).toEqual(json);
    await put("other", { a: "b" });
    const list = (await region.call("GET", "/v1/vars?prefix=app")).json;
    expect(list).toMatchObject([{ Path: "app/db", ModifyIndex: json.ModifyIndex }]);
    expect(JSON.stringify(list)).not.toContain("hush");
    const gone = await region.call("DELETE", "/v1/var/app/db");
    expect([gone.status, gone.text]).toEqual([204, ""]);
    expect(await region.call("GET", "/v1/var/app/db")).toMatchObject({ status: 404, text: "variable not found" });
  });

  test("check and set: only the one that was seen; else 409 with the one that is there", async () => {
    const first = (await put("x", { n: "1" }, "?cas=0")).json;
    const conflict = await put("x", { n: "2" }, "?cas=0");
    expect(conflict).toMatchObject({ status: 409, json: { Items: { n: "1" }, ModifyIndex: first.ModifyIndex } });
    expect((await put("x", { n: "2" }, `?cas=${first.ModifyIndex}`)).json.Items).toEqual({ n: "2" });
    expect((await region.call("DELETE", `/v1/var/x?cas=${first.ModifyIndex}`)).status).toBe(409);
    expect((await put("x", { n: "3" }, "?cas=many")).status).toBe(400);
  });

  test("namespaces, keep theirs apart, and are not deleted before them", async () => {
    await region.call("PUT", "/v1/namespace", { Name: "dev" });
    await put("x", { n: "1" }, "?namespace=dev");
    expect((await region.call("GET", "/v1/var/x")).status).toBe(404);
    expect((await region.call("GET", "/v1/vars?namespace=*")).json).toHaveLength(1);
    expect((await region.call("DELETE", "/v1/namespace/dev")).text).toContain("has variables associated with it");
    expect((await put("x", { n: "1" }, "?namespace=nope")).status).toBe(500);
  });

  test.each([
    ["no items", "x", {}, 400, "variable missing required Items object"],
    ["too much", "x", { a: "x".repeat(70_000) }, 500, "variables are limited to 64KiB in total size"],
    ["a path with a space", "a%20b", { a: "b" }, 500, 'invalid path "a b"'],
    ["a reserved path", "nomad/other", { a: "b" }, 500, 'only paths at "nomad/jobs"'],
  ] as const)("%s, is refused", async (_case, path, items, status, text) => {
    const answer = await put(path, items);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
  });
});

describe("search", () => {
  test("prefix, in one context or all, cut off at 20", async () => {
    for (let n = 0; n < 22; n++) await region.register(mockJob({ ID: `web-${n}` }));
    const search = async (body: object) => (await region.call("PUT", "/v1/search", body)).json;
    const jobs = await search({ Prefix: "web", Context: "jobs" });
    expect(jobs.Matches.jobs).toHaveLength(20);
    expect(jobs.Truncations).toEqual({ jobs: true });
    const all = await search({ Prefix: "web-1", Context: "all" });
    expect(all.Matches.jobs).toEqual(["web-1", ...Array.from({ length: 10 }, (_, n) => `web-1${n}`)]);
    expect(all.Truncations).toMatchObject({ jobs: false, nodes: false });
    expect(all.Matches).not.toHaveProperty("nodes");
    const unknown = await region.call("PUT", "/v1/search", { Prefix: "a", Context: "nonsense" });
    expect(unknown.status).toBe(400);
  });

  test("fuzzy, anywhere in names and in any case, with where it was found", async () => {
    await region.register(mockJob({ ID: "team-Website", Name: "team-Website" }));
    const { json } = await region.call("POST", "/v1/search/fuzzy", { Text: "web", Context: "all" });
    expect(json.Matches.jobs).toEqual([{ ID: "team-Website", Scope: ["default", "team-Website"] }]);
    expect(json.Matches.tasks).toEqual([{ ID: "web", Scope: ["default", "team-Website", "web"] }]);
    const short = await region.call("POST", "/v1/search/fuzzy", { Text: "w", Context: "jobs" });
    expect(short.text).toBe("fuzzy search query must be at least 2 characters, got 1");
  });

  test("another namespace's jobs, are not found", async () => {
    await region.call("PUT", "/v1/namespace", { Name: "dev" });
    await region.register(mockJob({ ID: "web", Namespace: "dev" }));
    const found = async (query: string) =>
      (await region.call("PUT", `/v1/search${query}`, { Prefix: "web", Context: "jobs" })).json.Matches.jobs;
    expect([await found(""), await found("?namespace=dev"), await found("?namespace=*")]).toEqual([
      undefined,
      ["web"],
      ["web"],
    ]);
  });
});

describe("what has nothing behind it", () => {
  test.each([
    ["GET", "/v1/volumes", 200, "[]"],
    ["GET", "/v1/plugins", 200, "[]"],
    ["GET", "/v1/volume/csi/x", 404, "volume not found"],
    ["GET", "/v1/plugin/csi/x", 404, "plugin not found"],
    ["GET", "/v1/acl/tokens", 400, "ACL support disabled"],
    ["PUT", "/v1/acl/policy/x", 400, "ACL support disabled"],
    ["GET", "/v1/quotas", 501, "Nomad Enterprise only endpoint"],
    ["DELETE", "/v1/sentinel/policy/x", 501, "Nomad Enterprise only endpoint"],
    ["GET", "/v1/recommendations", 501, "Nomad Enterprise only endpoint"],
    ["PUT", "/v1/plugins", 405, "Invalid method"],
  ] as const)("%s %s: %i %s", async (method, url, status, text) => {
    expect(await region.call(method, url)).toMatchObject({ status, text });
  });
});

describe("search that blocks", () => {
  const search = (body: object, index: number) =>
    region.call("PUT", `/v1/search?index=${index}&wait=5s`, { Context: "nodes", Prefix: "", ...body });

  test("tells and waits for the index of what it looks through, and for nothing else", async () => {
    await region.run({ $case: "RegisterNode", value: { Node: mockNode({}, 1) } });
    const { Index } = (await region.call("PUT", "/v1/search", { Context: "nodes", Prefix: "" })).json;
    await region.register(mockJob({ ID: "web" }));
    expect((await region.call("PUT", "/v1/search", { Context: "nodes", Prefix: "" })).json.Index).toBe(Index);
    const found = search({}, Index);
    await region.run({ $case: "RegisterNode", value: { Node: mockNode({}, 2) } });
    const { json } = await found;
    expect(json.Matches.nodes).toHaveLength(2);
    expect(json.Index).toBe(region.replica.view.index);
  });

  test("of two tables, wakes at a change of either", async () => {
    await region.run({ $case: "RegisterNode", value: { Node: mockNode({}, 1) } });
    const all = (index: number) =>
      region.call("PUT", `/v1/search?index=${index}&wait=5s`, { Context: "all", Prefix: "w" });
    const { Index } = (await region.call("PUT", "/v1/search", { Context: "all", Prefix: "w" })).json;
    const found = all(Index);
    await region.register(mockJob({ ID: "web" }));
    expect((await found).json.Matches.jobs).toEqual(["web"]);
  });

  test("finds scaling policies by their ID, fuzzy too", async () => {
    const job = mockJob({ ID: "web" });
    for (const group of job.TaskGroups) group.Scaling = ScalingPolicy.create({ Type: "horizontal", Min: 1, Max: 100 });
    expect((await region.register(job)).text).toContain("EvalID");
    const [policy] = (await region.call("GET", "/v1/scaling/policies")).json;
    const prefix = await region.call("PUT", "/v1/search", { Context: "scaling_policy", Prefix: policy.ID.slice(0, 4) });
    expect(prefix.json.Matches.scaling_policy).toEqual([policy.ID]);
    const fuzzy = await region.call("PUT", "/v1/search/fuzzy", { Context: "all", Text: policy.ID.slice(0, 8) });
    expect(fuzzy.json.Matches.scaling_policy).toMatchObject([{ ID: policy.ID }]);
  });
});

describe("locks of variables", () => {
  const PATH = "/v1/var/locks/one";
  const put = (query: string, body: object = {}) => region.call("PUT", `${PATH}${query}`, body);
  const acquire = (lock: object = {}) => put("?lock-acquire", { Items: { a: "1" }, Lock: lock });
  const expire = (Term: number, LockID: string) =>
    region.run({
      $case: "ExpireVariableLocks",
      value: { Term, Locks: [{ Namespace: "default", Path: "locks/one", LockID }] },
    });

  test("acquired, is its holder's to write, to renew, to delete; everybody else meets 409 without items", async () => {
    const { json } = await acquire({ TTL: "20s" });
    expect(json.Lock).toEqual({ ID: expect.stringMatching(/^[0-9a-f-]{36}$/), TTL: "20s", LockDelay: "15s" });
    const Lock = { ID: json.Lock.ID };
    expect((await region.call("GET", PATH)).json).toMatchObject({ Items: { a: "1" }, Lock: { TTL: "20s" } });
    expect((await region.call("GET", "/v1/vars")).json[0].Lock).toEqual({ TTL: "20s", LockDelay: "15s" });
    for (const query of ["", "?lock-acquire", "?lock-renew", "?lock-release"]) {
      const refused = await put(query, { Items: { a: "2" }, Lock: { ID: "11111111-1111-1111-1111-111111111111" } });
      expect([refused.status, refused.json.Items, refused.json.Lock.ID]).toEqual([409, null, undefined]);
    }
    expect((await region.call("DELETE", PATH)).status).toBe(409);
    expect((await put("", { Items: { a: "3" }, Lock })).json).toMatchObject({ Items: { a: "3" }, Lock });
    const renewed = await put("?lock-renew", { Lock });
    expect([renewed.status, renewed.json.Items]).toEqual([200, { a: "3" }]);
    expect((await put("?lock-release", { Lock })).json.Lock).toBeUndefined();
    expect((await put("?lock-renew", { Lock })).status).toBe(400);
    expect((await acquire()).json.Items).toEqual({ a: "1" });
  });

  test("asked for with cas, only at that index", async () => {
    expect((await put("?lock-acquire&cas=7", { Lock: {} })).status).toBe(409);
    expect((await put("?lock-acquire&cas=0", { Lock: {} })).status).toBe(200);
  });

  test.each([
    ["?lock-acquire", {}, 400, "missing lock information"],
    ["?lock-acquire", { Lock: { TTL: "1s" } }, 400, "lock TTL must be between 10s and 24h0m0s"],
    ["?lock-acquire", { Lock: { TTL: "soon" } }, 400, 'time: invalid duration "soon"'],
    ["?lock-acquire&lock-renew", { Lock: {} }, 400, "multiple lock operations"],
    ["?lock-renew", { Lock: {} }, 400, "missing lock ID"],
    ["?lock-release", { Lock: { ID: "x" } }, 404, "variable doesn't exist"],
  ])("%s with %j: %s", async (query, body, status, text) => {
    expect(await put(query, body)).toMatchObject({ status, text });
  });

  test("not renewed in log time, is ended by the leader's word, once; then nobody has it until the delay is over", async () => {
    const lease = { Holder: "s.us", Address: "", HTTPAddress: "", TTL: 3_600e9, Term: 0 };
    const { Term } = await region.run({ $case: "ClaimLease", value: { ...ClaimLease.create(), ...lease } });
    const { ID } = (await acquire({ TTL: "10s", LockDelay: "1h" })).json.Lock;
    // By its own clock a leader may be early: the log's time decides.
    expect((await expire(Term, ID)).Removed).toBe(0);
    region.replica.state.time += 11e9;
    expect((await expire(Term, "another")).Removed).toBe(0);
    expect((await expire(Term, ID)).Removed).toBe(1);
    expect((await expire(Term, ID)).Removed).toBe(0);
    expect((await region.call("GET", PATH)).json.Lock).toBeUndefined();
    expect((await acquire()).status).toBe(409);
    region.replica.state.time += 3_601e9;
    expect((await acquire()).status).toBe(200);
  });
});
