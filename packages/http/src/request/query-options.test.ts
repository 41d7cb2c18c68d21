import { MINUTE, SECOND } from "@steppe/model";
import { type JobListRequest, JobListResponse } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META } from "../test-world.ts";

async function list(query: string, headers: Record<string, string> = {}) {
  const { app, calls } = createWorld({
    others: ["eu"],
    answers: { jobs: { list: async () => JobListResponse.create({ Meta: META }) } },
  });
  const reply = await app.inject({ url: `/v1/jobs?${query}`, headers });
  return { reply, region: calls[0]?.region, query: (calls[0]?.request as JobListRequest | undefined)?.Query };
}

describe("query options", () => {
  it("nothing given: own region, default namespace, consistent with the leader, not blocking", async () => {
    const { region, query } = await list("");
    expect(region).toBe("");
    expect(query).toEqual({
      Region: "",
      Namespace: "default",
      Prefix: "",
      MinQueryIndex: 0,
      MaxQueryTime: 0,
      AllowStale: false,
      Consistent: false,
      AuthToken: "",
      Filter: "",
      PerPage: 0,
      NextToken: "",
      Reverse: false,
      Forwarded: false,
    });
  });

  it("everything given: passed on", async () => {
    const { region, query } = await list(
      "region=eu&namespace=*&prefix=a%2F&index=12&wait=1m30s&stale&per_page=5&next_token=t&filter=x&reverse=true&unknown=1",
    );
    expect(region).toBe("eu");
    expect(query).toMatchObject({
      Region: "eu",
      Namespace: "*",
      Prefix: "a/",
      MinQueryIndex: 12,
      MaxQueryTime: 90 * SECOND,
      AllowStale: true,
      PerPage: 5,
      NextToken: "t",
      Filter: "x",
      Reverse: true,
    });
  });

  const accepted: [string, object][] = [
    ["stale=true", { AllowStale: true }],
    ["stale=false", { AllowStale: false }],
    ["consistent", { Consistent: true }],
    ["consistent=anything", { Consistent: true }],
    ["stale&consistent", { AllowStale: false, Consistent: true }],
    ["wait=1h", { MaxQueryTime: 10 * MINUTE }],
    ["wait=-5s", { MaxQueryTime: 0 }],
    ["wait=&index=", { MaxQueryTime: 0, MinQueryIndex: 0 }],
    ["reverse=1", { Reverse: false }],
    ["region=us", { Region: "" }],
    ["region=global", { Region: "" }],
  ];
  it.each(accepted)("%s", async (text, expected) => {
    expect((await list(text)).query).toMatchObject(expected);
  });

  const refused: [string, string][] = [
    ["stale=maybe", "Expect `true` or `false` for `stale` query string parameter"],
    ["wait=5", "Invalid wait time"],
    ["wait=soon&index=x", "Invalid wait time"],
    ["index=x", "Invalid index"],
    ["index=-1", "Invalid index"],
    ["index=18446744073709551616", "Invalid index"],
    ["per_page=many", "Expect a number for `per_page` query string parameter"],
    ["per_page=3000000000", "Expect a number for `per_page` query string parameter"],
  ];
  it.each(refused)("%s: 400", async (text, message) => {
    const { reply, query } = await list(text);
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toBe(message);
    expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(query).toBeUndefined();
  });

  it("unknown region: 500 No path to region", async () => {
    const { reply } = await list("region=nowhere");
    expect([reply.statusCode, reply.body]).toEqual([500, "No path to region"]);
  });

  const tokens: [Record<string, string>, string][] = [
    [{ "x-nomad-token": "secret" }, "secret"],
    [{ authorization: "Bearer secret" }, "secret"],
    [{ authorization: "bearer   secret more" }, "secret"],
    [{ authorization: "Basic secret" }, ""],
    [{ "x-nomad-token": "first", authorization: "Bearer second" }, "first"],
  ];
  it.each(tokens)("token of %o", async (headers, token) => {
    expect((await list("", headers)).query?.AuthToken).toBe(token);
  });
});
