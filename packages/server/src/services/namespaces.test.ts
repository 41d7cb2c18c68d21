import { mockJob } from "@steppe/model/internal";
import { type DeepPartial, type Job, NetworkResource } from "@steppe/proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

const register = (fields: DeepPartial<Job>) => region.register(mockJob(fields));
const apply = (fields: object) => region.call("PUT", "/v1/namespace", fields);

describe("namespaces", () => {
  test("a new region, has the default one", async () => {
    const { json, headers } = await region.call("GET", "/v1/namespaces");
    expect(json).toMatchObject([{ Name: "default", Description: "Default shared namespace", CreateIndex: 1 }]);
    expect(Number(headers["x-nomad-index"])).toBeGreaterThan(0);
  });

  test("made, read, changed and deleted", async () => {
    const spec = {
      Name: "dev",
      Description: "for trying",
      Quota: "small",
      Meta: { team: "a" },
      Capabilities: { EnabledTaskDrivers: ["docker"], DisabledTaskDrivers: ["raw_exec"] },
      NodePoolConfiguration: { Default: "gpu", Denied: ["prod-*"] },
    };
    const made = await apply(spec);
    expect([made.status, made.text]).toEqual([200, ""]);
    const index = Number(made.headers["x-nomad-index"]);
    const { json } = await region.call("GET", "/v1/namespace/dev");
    expect(json).toMatchObject({ ...spec, CreateIndex: index, ModifyIndex: index });
    await apply({ Name: "dev", Description: "changed" });
    const changed = (await region.call("GET", "/v1/namespace/dev")).json;
    expect(changed).toMatchObject({ Description: "changed", Meta: null, Capabilities: null, CreateIndex: index });
    expect((await region.call("GET", "/v1/namespaces?prefix=d")).json).toHaveLength(2);
    expect((await region.call("GET", "/v1/namespaces?prefix=dev")).json).toHaveLength(1);
    expect((await region.call("DELETE", "/v1/namespace/dev")).status).toBe(200);
    expect(await region.call("GET", "/v1/namespace/dev")).toMatchObject({ status: 404, text: "Namespace not found" });
  });

  const refused: [string, () => Promise<{ status: number; text: string }>, number, string][] = [
    [
      "a name that is none",
      () => apply({ Name: "a_b" }),
      500,
      'Invalid namespace "a_b": 1 error occurred:\n\t* invalid name "a_b". Must match regex ^[a-zA-Z0-9-]{1,128}$\n\n',
    ],
    ["another name in the path", () => region.call("PUT", "/v1/namespace/x", { Name: "y" }), 400, "does not match"],
    ["no name in the path", () => region.call("GET", "/v1/namespace/"), 400, "Missing Namespace Name"],
    ["no body", () => region.call("PUT", "/v1/namespace"), 400, "Request body is empty"],
    ["the default one", () => region.call("DELETE", "/v1/namespace/default"), 500, "can not delete default namespace"],
    ["an unknown one", () => region.call("DELETE", "/v1/namespace/nope"), 500, "namespace not found"],
  ];
  test.each(refused)("%s, is refused", async (_case, act, status, text) => {
    const answer = await act();
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  test("with a job that lives, is not deleted; with a dead one it is", async () => {
    await apply({ Name: "dev" });
    await register({ ID: "web", Namespace: "dev" });
    const refusal = await region.call("DELETE", "/v1/namespace/dev");
    expect(refusal.status).toBe(500);
    expect(refusal.text).toBe('1 error occurred:\n\t* namespace "dev" has non-terminal jobs in regions: [global]\n\n');
    await region.call("DELETE", "/v1/job/web?namespace=dev&purge=true");
    expect((await region.call("DELETE", "/v1/namespace/dev")).status).toBe(200);
  });
});

describe("jobs and namespaces", () => {
  test("into one that is not there, refused in the API's words", async () => {
    expect(await register({ ID: "web", Namespace: "nope" })).toMatchObject({
      status: 500,
      text: 'job "web" is in nonexistent namespace "nope"',
    });
    expect(await register({ ID: "web", NodePool: "nope" })).toMatchObject({
      status: 500,
      text: 'job "web" is in nonexistent node pool "nope"',
    });
  });

  test("lists, show the namespace asked for, or all", async () => {
    await apply({ Name: "dev" });
    await register({ ID: "a" });
    await register({ ID: "b", Namespace: "dev" });
    for (const list of ["jobs", "evaluations"]) {
      const count = async (query: string) => (await region.call("GET", `/v1/${list}${query}`)).json.length;
      expect([await count(""), await count("?namespace=dev"), await count("?namespace=*")]).toEqual([1, 1, 2]);
    }
    expect((await region.call("GET", "/v1/job/b")).status).toBe(404);
    expect((await region.call("GET", "/v1/job/b?namespace=dev")).json.Namespace).toBe("dev");
  });

  test("a driver or network mode that the namespace does not allow, is refused", async () => {
    const Capabilities = { DisabledTaskDrivers: ["exec"], EnabledNetworkModes: ["bridge"] };
    await apply({ Name: "dev", Capabilities });
    const job = mockJob({ ID: "web", Namespace: "dev" });
    for (const task of job.TaskGroups.flatMap((group) => group.Tasks)) task.Driver = "exec";
    expect((await region.register(job)).text).toBe('used task driver "exec" is not allowed in namespace "dev"');
    for (const task of job.TaskGroups.flatMap((group) => group.Tasks)) task.Driver = "docker";
    for (const group of job.TaskGroups) group.Networks = [{ ...NetworkResource.create(), Mode: "host" }];
    expect((await region.register(job)).text).toBe('used group network mode "host" is not allowed in namespace "dev"');
  });

  test("node pools of the namespace: the default for jobs that name none, others as allowed", async () => {
    for (const Name of ["gpu", "prod-1"]) await region.call("PUT", "/v1/node/pools", { Name });
    await apply({ Name: "dev", NodePoolConfiguration: { Default: "gpu", Denied: ["prod-*"] } });
    await region.register({ ...mockJob({ ID: "web", Namespace: "dev" }), NodePool: "" });
    expect((await region.call("GET", "/v1/job/web?namespace=dev")).json.NodePool).toBe("gpu");
    expect((await register({ ID: "api", Namespace: "dev", NodePool: "prod-1" })).text).toBe(
      'node pool "prod-1" is not allowed in namespace "dev"',
    );
  });
});
