import { mockJob, mockNode } from "@steppe/model/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpRegion, openHttpRegion } from "../testing/http-region.ts";

let region: HttpRegion;

beforeEach(async () => {
  region = await openHttpRegion();
});

afterEach(() => region.close());

const addNode = (id: number, NodePool: string) =>
  region.run({ $case: "RegisterNode", value: { Node: mockNode({ NodePool }, id) } });

describe("node pools", () => {
  test("a new region, has the two built-in ones", async () => {
    const { json } = await region.call("GET", "/v1/node/pools");
    expect(json).toMatchObject([
      { Name: "all", Description: "Node pool with all nodes in the cluster." },
      { Name: "default", Description: "Default node pool." },
    ]);
  });

  test("made, read and deleted; a time to live as text is nanoseconds", async () => {
    const spec = { Name: "gpu", Meta: { a: "b" }, SchedulerConfiguration: { SchedulerAlgorithm: "spread" } };
    const made = await region.call("POST", "/v1/node/pools", { ...spec, NodeIdentityTTL: "1h" });
    expect([made.status, made.text]).toEqual([200, ""]);
    const pool = (await region.call("GET", "/v1/node/pool/gpu")).json;
    expect(pool).toMatchObject({ ...spec, NodeIdentityTTL: 3600e9 });
    expect(pool.SchedulerConfiguration.MemoryOversubscriptionEnabled).toBeNull();
    expect((await region.call("DELETE", "/v1/node/pool/gpu")).status).toBe(200);
    expect(await region.call("GET", "/v1/node/pool/gpu")).toMatchObject({ status: 404, text: "node pool not found" });
  });

  test("its nodes and jobs, and those of all", async () => {
    await region.call("PUT", "/v1/node/pools", { Name: "gpu" });
    await addNode(1, "gpu");
    await addNode(2, "default");
    await region.register(mockJob({ ID: "web", NodePool: "gpu" }));
    const count = async (url: string) => (await region.call("GET", url)).json.length;
    expect(await count("/v1/node/pool/gpu/nodes")).toBe(1);
    expect(await count("/v1/node/pool/all/nodes")).toBe(2);
    expect(await count("/v1/node/pool/gpu/jobs")).toBe(1);
    expect(await count("/v1/node/pool/default/jobs")).toBe(0);
  });

  const refused: [string, () => Promise<{ status: number; text: string }>, number, string][] = [
    [
      "a built-in one changed",
      () => region.call("PUT", "/v1/node/pools", { Name: "all" }),
      400,
      'modifying node pool "all" is not allowed',
    ],
    [
      "a built-in one deleted",
      () => region.call("DELETE", "/v1/node/pool/default"),
      400,
      'deleting node pool "default" is not allowed',
    ],
    ["an unknown one deleted", () => region.call("DELETE", "/v1/node/pool/nope"), 500, "node pool nope not found"],
    [
      "a name that is none",
      () => region.call("PUT", "/v1/node/pools", { Name: "a b" }),
      400,
      'invalid node pool "a b": 1 error occurred:\n\t* invalid name "a b", must match regex ^[a-zA-Z0-9-_]{1,128}$\n\n',
    ],
    ["a prefix on its nodes", () => region.call("GET", "/v1/node/pool/all/nodes?prefix=a"), 400, "prefix argument not"],
  ];
  test.each(refused)("%s, is refused", async (_case, act, status, text) => {
    const answer = await act();
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  test("one with nodes and jobs, is not deleted and says both", async () => {
    await region.call("PUT", "/v1/node/pools", { Name: "gpu" });
    await addNode(1, "gpu");
    await region.register(mockJob({ ID: "web", NodePool: "gpu" }));
    expect((await region.call("DELETE", "/v1/node/pool/gpu")).text).toBe(
      '2 errors occurred:\n\t* node pool "gpu" has non-terminal jobs in regions: [global]\n' +
        '\t* node pool "gpu" has nodes in regions: [global]\n\n',
    );
  });
});
