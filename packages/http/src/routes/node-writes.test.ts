import { SteppeError } from "@steppe/model";
import { NodeWriteResponse } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld } from "../test-world.ts";

const WRITTEN = NodeWriteResponse.create({ EvalIDs: ["e1"], EvalCreateIndex: 9, NodeModifyIndex: 9, Index: 9 });
const answer = async () => WRITTEN;
const answers = { nodes: { drain: answer, eligibility: answer, evaluate: answer, purge: answer } };

const send = async (url: string, payload?: string, method: "PUT" | "POST" = "PUT") => {
  const { app, calls } = createWorld({ answers, others: ["eu"] });
  const reply = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { reply, call: calls[0] };
};

const BODY = {
  ...{ EvalIDs: ["e1"], EvalCreateIndex: 9, NodeModifyIndex: 9, Index: 9 },
  ...{ LastContact: 0, KnownLeader: false, NextToken: "" },
};

describe("node drain", () => {
  it("a specification: begins a drain", async () => {
    const body = '{"DrainSpec":{"Deadline":3600000000000,"IgnoreSystemJobs":true},"Meta":{"why":"disk"}}';
    const { reply, call } = await send("/v1/node/n1/drain", body, "POST");
    expect([reply.statusCode, reply.json(), reply.headers["x-nomad-index"]]).toEqual([200, BODY, "9"]);
    expect(call).toMatchObject({
      method: "nodes.drain",
      request: {
        ...{ NodeID: "n1", MarkEligible: false, Meta: { why: "disk" } },
        DrainSpec: { Deadline: 3_600e9, IgnoreSystemJobs: true },
      },
    });
  });

  it("none, or null: ends it", async () => {
    for (const body of ['{"MarkEligible":true}', '{"DrainSpec":null,"MarkEligible":true}']) {
      const { call } = await send("/v1/node/n1/drain?region=eu", body);
      expect(call).toMatchObject({ region: "eu", request: { DrainSpec: undefined, MarkEligible: true } });
    }
  });

  it.each([
    ["true", { Deadline: -1e9 }],
    ["false", undefined],
  ])("enable=%s of older clients: at once, and without a body", async (enable, spec) => {
    const request = (await send(`/v1/node/n1/drain?enable=${enable}`)).call?.request;
    expect(request).toMatchObject({ DrainSpec: spec });
  });

  it.each([
    ["/v1/node/n1/drain?enable=maybe", undefined, "invalid enable value"],
    ["/v1/node/n1/drain", undefined, "Request body is empty"],
    ["/v1/node/n1/drain", '{"DrainSpec":{"Deadline":"1h"}}', /DrainSpec\.Deadline of type int64$/],
    ["/v1/node/n1/drain", '{"Meta":{"a":1}}', /Meta of type string$/],
  ])("%s with %s: 400", async (url, body, text) => {
    const { reply, call } = await send(url, body);
    expect([reply.statusCode, reply.body]).toEqual([
      400,
      typeof text === "string" ? text : expect.stringMatching(text),
    ]);
    expect(call).toBeUndefined();
  });
});

describe("node eligibility, evaluate and purge", () => {
  it("eligibility: that of the body, for the node of the path", async () => {
    const { reply, call } = await send("/v1/node/n1/eligibility", '{"NodeID":"other","Eligibility":"ineligible"}');
    expect(reply.json()).toEqual(BODY);
    expect(call).toMatchObject({ method: "nodes.eligibility", request: { NodeID: "n1", Eligibility: "ineligible" } });
  });

  it.each(["evaluate", "purge"])("%s: the node of the path, whatever the body", async (name) => {
    const { reply, call } = await send(`/v1/node/n1/${name}`, "ignored{");
    expect(reply.json()).toEqual(BODY);
    expect(call).toMatchObject({ method: `nodes.${name}`, request: { NodeID: "n1" } });
  });

  it("no evaluation came of it: null, as the API writes an empty list", async () => {
    const { app } = createWorld({
      answers: { nodes: { evaluate: async () => NodeWriteResponse.create({ Index: 3 }) } },
    });
    const reply = await app.inject({ method: "PUT", url: "/v1/node/n1/evaluate" });
    expect(reply.json()).toMatchObject({ EvalIDs: null, EvalCreateIndex: 0, Index: 3 });
  });

  it("a refusal: 500 in its own words", async () => {
    const evaluate = () => Promise.reject(new SteppeError("refused", "node not found"));
    const { app } = createWorld({ answers: { nodes: { evaluate } } });
    const reply = await app.inject({ method: "PUT", url: "/v1/node/n1/evaluate" });
    expect([reply.statusCode, reply.body]).toEqual([500, "node not found"]);
  });
});
