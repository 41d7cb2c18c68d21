import { Deployment, DeploymentState, DeploymentUpdateResponse } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META, META_HEADERS, REGISTERED } from "../test-world.ts";

const ID = "70638f62-5c19-193e-30d6-f9d6e689ab8e";
const found = Deployment.create({
  ...{ ID, JobID: "web", Namespace: "default", Status: "running", CreateTime: 1_700_000_000e9 },
  TaskGroups: { web: DeploymentState.create({ DesiredTotal: 2, RequireProgressBy: 1_700_000_000e9 }) },
});
const updated = DeploymentUpdateResponse.create({
  EvalID: "e",
  EvalCreateIndex: 7,
  DeploymentModifyIndex: 7,
  Index: 7,
});

const answers = {
  deployments: {
    get: async ({ DeploymentID }: { DeploymentID: string }) => ({
      Deployment: DeploymentID === ID ? found : undefined,
      Meta: META,
    }),
    list: async () => ({ Deployments: [found], Meta: META }),
    allocations: async () => ({ Allocations: [], Meta: META }),
    promote: async () => updated,
    pause: async () => updated,
    fail: async () => ({ ...updated, RevertedJobVersion: 0 }),
    unblock: async () => updated,
    setAllocHealth: async () => updated,
  },
  jobs: {
    deployments: async () => ({ Deployments: [found], Meta: META }),
    latestDeployment: async ({ JobID }: { JobID: string }) => ({
      Deployment: JobID === "web" ? found : undefined,
      Meta: META,
    }),
    revert: async () => REGISTERED,
    stable: async () => ({ Index: 9 }),
  },
};

const send = async (method: "GET" | "PUT" | "POST" | "DELETE", url: string, payload?: object | string) => {
  const { app, calls } = createWorld({ answers: answers as never, others: ["eu"] });
  const reply = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { reply, call: calls[0] };
};

describe("deployments, read", () => {
  it.each(["/v1/deployments?prefix=70&region=eu", "/v1/job/web/deployments?region=eu"])(
    "GET %s: a list of whole deployments",
    async (url) => {
      const { reply, call } = await send("GET", url);
      expect(reply.json()).toMatchObject([{ ID, TaskGroups: { web: { RequireProgressBy: "2023-11-14T22:13:20Z" } } }]);
      expect(reply.headers).toMatchObject(META_HEADERS);
      expect(call?.region).toBe("eu");
    },
  );

  it.each([`/v1/deployment/${ID}`, "/v1/job/web/deployment"])("GET %s: the deployment", async (url) => {
    const { reply } = await send("GET", `${url}?index=5`);
    expect(reply.json()).toMatchObject({ ID, Status: "running", TaskGroups: { web: { PlacedCanaries: null } } });
  });

  it("an unknown one: 404 with the meta headers; of a job without: null", async () => {
    const unknown = await send("GET", "/v1/deployment/other");
    expect([unknown.reply.statusCode, unknown.reply.body]).toEqual([404, "deployment not found"]);
    expect(unknown.reply.headers).toMatchObject(META_HEADERS);
    expect((await send("GET", "/v1/job/other/deployment")).reply.body).toBe("null");
  });

  it("its allocations", async () => {
    const { reply, call } = await send("GET", `/v1/deployment/allocations/${ID}`);
    expect(reply.body).toBe("[]");
    expect(call).toMatchObject({ method: "deployments.allocations", request: { DeploymentID: ID } });
  });
});

describe("deployments, written", () => {
  const rows: [string, object, string, object][] = [
    ["promote", { All: true }, "promote", { All: true, Groups: [] }],
    ["promote", { Groups: ["web"] }, "promote", { All: false, Groups: ["web"] }],
    ["pause", { Pause: true }, "pause", { Pause: true }],
    ["unblock", {}, "unblock", {}],
    ["allocation-health", { UnhealthyAllocationIDs: ["a"] }, "setAllocHealth", { UnhealthyAllocationIDs: ["a"] }],
  ];
  it.each(rows)("%s %j: passed on, and the peer's reply", async (action, body, method, request) => {
    const payload = { DeploymentID: ID, ...body };
    const { reply, call } = await send("PUT", `/v1/deployment/${action}/${ID}?namespace=prod`, payload);
    expect(reply.body).toBe(
      '{"EvalID":"e","EvalCreateIndex":7,"DeploymentModifyIndex":7,"RevertedJobVersion":null,"Index":7}',
    );
    expect(reply.headers["x-nomad-index"]).toBe("7");
    expect(call).toMatchObject({
      method: `deployments.${method}`,
      request: { DeploymentID: ID, Write: { Namespace: "prod" }, ...request },
    });
  });

  it("fail: needs no body, tells the version that is back", async () => {
    const { reply, call } = await send("POST", `/v1/deployment/fail/${ID}?region=eu`);
    expect(reply.json()).toMatchObject({ RevertedJobVersion: 0 });
    expect(call).toMatchObject({ region: "eu", request: { DeploymentID: ID } });
  });

  const refused: [string, object | string | undefined, string][] = [
    ["pause", undefined, "Request body is empty"],
    ["promote", { All: true }, "DeploymentID must be specified"],
    ["unblock", { DeploymentID: "other" }, "Deployment ID does not match"],
  ];
  it.each(refused)("%s with body %j: 400", async (action, body, text) => {
    const { reply, call } = await send("PUT", `/v1/deployment/${action}/${ID}`, body);
    expect([reply.statusCode, reply.body, call]).toEqual([400, text, undefined]);
  });

  it("another method: 405", async () => {
    expect((await send("GET", `/v1/deployment/fail/${ID}`)).reply.statusCode).toBe(405);
    expect((await send("DELETE", `/v1/deployment/${ID}`)).reply.statusCode).toBe(405);
  });
});

describe("job versions", () => {
  it("revert: registered again", async () => {
    const body = { JobID: "web", JobVersion: 2, EnforcePriorVersion: 0 };
    const { reply, call } = await send("PUT", "/v1/job/web/revert", body);
    expect(reply.json()).toMatchObject({ EvalID: REGISTERED.EvalID, Warnings: "" });
    expect(call?.request).toMatchObject({ JobID: "web", JobVersion: 2, EnforcePriorVersion: 0 });
    const unset = await send("PUT", "/v1/job/web/revert", { JobID: "web", JobVersion: 2, EnforcePriorVersion: null });
    expect(unset.call?.request).not.toMatchObject({ EnforcePriorVersion: 0 });
  });

  it("stable: only the index", async () => {
    const { reply, call } = await send("POST", "/v1/job/web/stable", { JobID: "web", JobVersion: 2, Stable: true });
    expect(reply.body).toBe('{"Index":9}');
    expect(call?.request).toMatchObject({ JobVersion: 2, Stable: true });
  });

  it.each([
    ["revert", { JobVersion: 1 }, "JobID must be specified"],
    ["stable", { JobID: "api" }, "Job ID does not match"],
  ])("%s with body %j: 400", async (action, body, text) => {
    const { reply } = await send("PUT", `/v1/job/web/${action}`, body);
    expect([reply.statusCode, reply.body]).toEqual([400, text]);
  });
});
