import {
  Allocation,
  AllocationGetResponse,
  AllocationListResponse,
  AllocListStub,
  Evaluation,
  EvaluationGetResponse,
  EvaluationListResponse,
  Job,
  JobListResponse,
  JobListStub,
  Node,
  NodeAllocationsResponse,
  NodeGetResponse,
  NodeListResponse,
  NodeListStub,
} from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META, META_HEADERS } from "../test-world.ts";

const ID = "151accaa-1ac6-90fe-d427-313e70ccbb88";

const AllocatedResources = {
  Tasks: {},
  TaskLifecycles: { main: { Hook: "", Sidecar: false }, setup: { Hook: "prestart", Sidecar: false } },
  Shared: undefined,
};
const allocation = Allocation.create({ ID, Job: Job.create({ ID: "web", VaultToken: "hush" }), AllocatedResources });

const known = {
  jobs: { list: async () => JobListResponse.create({ Jobs: [JobListStub.create({ ID })], Meta: META }) },
  evaluations: {
    list: async () => EvaluationListResponse.create({ Evaluations: [Evaluation.create({ ID })], Meta: META }),
    get: async () => EvaluationGetResponse.create({ Evaluation: Evaluation.create({ ID }), Meta: META }),
    allocations: async () => AllocationListResponse.create({ Allocations: [AllocListStub.create({ ID })], Meta: META }),
  },
  allocations: {
    list: async () => AllocationListResponse.create({ Allocations: [AllocListStub.create({ ID })], Meta: META }),
    get: async () => AllocationGetResponse.create({ Allocation: allocation, Meta: META }),
  },
  nodes: {
    list: async () => NodeListResponse.create({ Nodes: [NodeListStub.create({ ID })], Meta: META }),
    get: async () => NodeGetResponse.create({ Node: Node.create({ ID }), Meta: META }),
    allocations: async () => NodeAllocationsResponse.create({ Allocations: [allocation], Meta: META }),
  },
};

const unknown = {
  jobs: { list: async () => JobListResponse.create({ Meta: META }) },
  evaluations: {
    list: async () => EvaluationListResponse.create({ Meta: META }),
    get: async () => EvaluationGetResponse.create({ Meta: META }),
    allocations: async () => AllocationListResponse.create({ Meta: META }),
  },
  allocations: {
    list: async () => AllocationListResponse.create({ Meta: META }),
    get: async () => AllocationGetResponse.create({ Meta: META }),
  },
  nodes: {
    list: async () => NodeListResponse.create({ Meta: META }),
    get: async () => NodeGetResponse.create({ Meta: META }),
    allocations: async () => NodeAllocationsResponse.create({ Meta: META }),
  },
};

const LISTS: [string, string, object][] = [
  ["/v1/jobs?prefix=a", "jobs.list", { Query: { Prefix: "a" } }],
  ["/v1/evaluations?job=web&status=blocked", "evaluations.list", { JobID: "web", Status: "blocked" }],
  [`/v1/evaluation/${ID}/allocations`, "evaluations.allocations", { EvalID: ID }],
  ["/v1/allocations?region=eu", "allocations.list", { Query: { Region: "eu" } }],
  ["/v1/nodes?index=7", "nodes.list", { Query: { MinQueryIndex: 7 } }],
  [`/v1/node/${ID}/allocations`, "nodes.allocations", { NodeID: ID }],
];

const OBJECTS: [string, string, object, string][] = [
  [`/v1/evaluation/${ID}`, "evaluations.get", { EvalID: ID }, "eval not found"],
  [`/v1/allocation/${ID}`, "allocations.get", { AllocID: ID }, "alloc not found"],
  [`/v1/node/${ID}`, "nodes.get", { NodeID: ID }, "node not found"],
];

describe("lists", () => {
  it.each(LISTS)("%s: asks %s", async (url, method, request) => {
    const { app, calls } = createWorld({ answers: known, others: ["eu"] });
    const reply = await app.inject(url);
    expect(reply.headers).toMatchObject({ ...META_HEADERS, "content-type": "application/json" });
    expect(reply.json()).toMatchObject([{ ID }]);
    expect(calls).toMatchObject([{ method, request }]);
  });

  it.each(LISTS)("%s without a match: 200 []", async (url) => {
    const reply = await createWorld({ answers: unknown, others: ["eu"] }).app.inject(url);
    expect([reply.statusCode, reply.body]).toEqual([200, "[]"]);
    expect(reply.headers).toMatchObject(META_HEADERS);
  });

  it("more pages: the next token in a header", async () => {
    const list = async () => JobListResponse.create({ Meta: { ...META, NextToken: "default.web" } });
    const reply = await createWorld({ answers: { jobs: { list } } }).app.inject("/v1/jobs?per_page=1");
    expect(reply.headers["x-nomad-nexttoken"]).toBe("default.web");
  });

  it("fields nobody asked for: left out, not null", async () => {
    const { app } = createWorld({ answers: known });
    const [node] = (await app.inject("/v1/nodes")).json();
    expect(node).toHaveProperty("Drivers", null);
    for (const field of ["Attributes", "NodeResources", "ReservedResources"]) expect(node).not.toHaveProperty(field);
    expect((await app.inject("/v1/allocations")).json()[0]).not.toHaveProperty("AllocatedResources");
    expect((await app.inject("/v1/jobs")).json()[0]).not.toHaveProperty("Meta");
  });
});

describe("objects", () => {
  it.each(OBJECTS)("%s: asks %s", async (url, method, request) => {
    const { app, calls } = createWorld({ answers: known });
    const reply = await app.inject(url);
    expect(reply.headers).toMatchObject(META_HEADERS);
    expect(reply.json()).toMatchObject({ ID });
    expect(calls).toMatchObject([{ method, request }]);
  });

  it.each(OBJECTS)("%s unknown: 404 with the headers of the read", async (url, _method, _request, text) => {
    const reply = await createWorld({ answers: unknown }).app.inject(url);
    expect([reply.statusCode, reply.body]).toEqual([404, text]);
    expect(reply.headers).toMatchObject(META_HEADERS);
  });

  it("an allocation: main tasks have a null lifecycle, and its job shows no token", async () => {
    const { app } = createWorld({ answers: known });
    const one = await app.inject(`/v1/allocation/${ID}`);
    expect(one.json().AllocatedResources.TaskLifecycles).toEqual({
      main: null,
      setup: { Hook: "prestart", Sidecar: false },
    });
    const ofNode = await app.inject(`/v1/node/${ID}/allocations`);
    expect(one.body + ofNode.body).not.toContain("hush");
  });
});
