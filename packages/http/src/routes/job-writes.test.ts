import { SteppeError } from "@steppe/model";
import { JobRegisterResponse, Member } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, REGISTERED } from "../test-world.ts";

const answers = {
  jobs: {
    evaluate: async () => REGISTERED,
    periodicForce: async () => JobRegisterResponse.create({ EvalID: "57983ddd", EvalCreateIndex: 7, Index: 7 }),
    deregister: async () => REGISTERED,
  },
};

const send = async (method: "PUT" | "POST" | "DELETE", url: string, payload?: string) => {
  const { app, calls } = createWorld({ answers, others: ["eu"] });
  const reply = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
  return { reply, call: calls[0] };
};

describe("evaluate", () => {
  it("no body: evaluates the job of the path, slashes and all", async () => {
    const { reply, call } = await send("PUT", "/v1/job/a%2Fb/c/evaluate");
    expect(reply.json()).toEqual({
      EvalID: REGISTERED.EvalID,
      EvalCreateIndex: 35,
      JobModifyIndex: 34,
      Warnings: "",
      Index: 35,
      LastContact: 0,
      KnownLeader: false,
      NextToken: "",
    });
    expect(reply.headers["x-nomad-index"]).toBe("35");
    expect(call).toMatchObject({ method: "jobs.evaluate", request: { JobID: "a/b/c", ForceReschedule: false } });
  });

  it("a body: its options count, region by query, then body", async () => {
    const body = '{"JobID":"web","Region":"eu","Namespace":"prod","EvalOptions":{"ForceReschedule":true}}';
    const { call } = await send("POST", "/v1/job/web/evaluate", body);
    expect(call).toMatchObject({ region: "eu", request: { ForceReschedule: true, Write: { Namespace: "prod" } } });
    expect((await send("POST", "/v1/job/web/evaluate?region=us", body)).call?.region).toBe("");
  });

  const refused: [string, string | RegExp][] = [
    ["{", /^Invalid JSON/],
    ["{}", "Job ID must be specified"],
    ['{"JobID":"api"}', "JobID not same as job name"],
    ['{"JobID":"web","EvalOptions":{"ForceReschedule":1}}', /EvalOptions\.ForceReschedule of type bool$/],
  ];
  it.each(refused)("body %s: 400", async (body, text) => {
    const { reply, call } = await send("PUT", "/v1/job/web/evaluate", body);
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toEqual(typeof text === "string" ? text : expect.stringMatching(text));
    expect(call).toBeUndefined();
  });
});

describe("periodic force", () => {
  it("whatever the body: launches the job of the path", async () => {
    const { reply, call } = await send("POST", "/v1/job/nightly/periodic/force?region=eu", "ignored{");
    expect(reply.body).toBe('{"EvalID":"57983ddd","EvalCreateIndex":7,"Index":7}');
    expect(reply.headers["x-nomad-index"]).toBe("7");
    expect(call).toMatchObject({ region: "eu", method: "jobs.periodicForce", request: { JobID: "nightly" } });
  });
});

describe("deregister", () => {
  it("no parameters: stops the job", async () => {
    const { reply, call } = await send("DELETE", "/v1/job/web");
    expect(reply.json()).toEqual({
      EvalID: REGISTERED.EvalID,
      EvalCreateIndex: 35,
      JobModifyIndex: 34,
      VolumeEvalID: "",
      VolumeEvalIndex: 0,
      Index: 35,
      LastContact: 0,
      KnownLeader: false,
      NextToken: "",
    });
    expect(reply.headers["x-nomad-index"]).toBe("35");
    expect(call?.request).toMatchObject({ JobID: "web", Purge: false, Global: false, EvalPriority: 0 });
  });

  it("all parameters: passed on", async () => {
    const query = "purge=true&global=1&no_shutdown_delay=t&eval_priority=90&namespace=prod&region=eu";
    const { call } = await send("DELETE", `/v1/job/web?${query}`);
    expect(call).toMatchObject({
      region: "eu",
      request: {
        Write: { Region: "eu", Namespace: "prod" },
        Purge: true,
        Global: true,
        NoShutdownDelay: true,
        EvalPriority: 90,
      },
    });
  });

  it("priority below 1: the job's own", async () => {
    expect((await send("DELETE", "/v1/job/web?eval_priority=-4")).call?.request).toMatchObject({ EvalPriority: 0 });
  });

  const invalid = (name: string) => `strconv.${name}: parsing "x": invalid syntax`;
  const refused: [string, number, string][] = [
    ["purge=x", 500, `Failed to parse value of "purge" (x) as a bool: ${invalid("ParseBool")}`],
    ["global=x", 500, `Failed to parse value of "global" (x) as a bool: ${invalid("ParseBool")}`],
    ["no_shutdown_delay=x", 500, `Failed to parse value of "no_shutdown_delay" (x) as a bool: ${invalid("ParseBool")}`],
    ["eval_priority=x", 500, `Failed to parse value of "eval_priority" (x) as a int: ${invalid("Atoi")}`],
    ["eval_priority=101", 400, "Eval priority must be between 1 and 100 inclusively"],
  ];
  it.each(refused)("%s: %i", async (query, status, text) => {
    const { reply, call } = await send("DELETE", `/v1/job/web?${query}`);
    expect([reply.statusCode, reply.body]).toEqual([status, text]);
    expect(call).toBeUndefined();
  });
});

describe("failures of a service", () => {
  const rows: [SteppeError, number][] = [
    [new SteppeError("refused", "job not found"), 500],
    [new SteppeError("invalid", "bad"), 400],
    [new SteppeError("permission-denied", "Permission denied"), 403],
    [new SteppeError("no-path-to-region", "No path to region"), 500],
    [new SteppeError("no-leader", "No cluster leader"), 500],
    [new SteppeError("no-quorum", "the log takes no writes now"), 503],
    [new SteppeError("timeout", "took too long"), 504],
  ];
  it.each(rows)("%s: its status and its own words", async (error, status) => {
    const { app, logged } = createWorld({ answers: { jobs: { evaluate: () => Promise.reject(error) } } });
    const reply = await app.inject({ method: "PUT", url: "/v1/job/web/evaluate" });
    expect([reply.statusCode, reply.body]).toEqual([status, error.message]);
    expect(reply.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(reply.headers).not.toHaveProperty("steppe-outcome");
    expect(logged).toEqual([]);
  });

  it("outcome unknown: said in a header too", async () => {
    const error = new SteppeError("outcome-unknown", "no answer from region eu: the write may have taken effect");
    const { app } = createWorld({ answers: { jobs: { deregister: () => Promise.reject(error) } } });
    const reply = await app.inject({ method: "DELETE", url: "/v1/job/web" });
    expect([reply.statusCode, reply.headers["steppe-outcome"]]).toEqual([500, "unknown"]);
  });

  it("a bug: 500 internal error, the chain in the log and nowhere else", async () => {
    const error = new Error("table is broken", { cause: new Error("disk is gone") });
    const { app, logged } = createWorld({ answers: { jobs: { evaluate: () => Promise.reject(error) } } });
    const reply = await app.inject({ method: "PUT", url: "/v1/job/web/evaluate" });
    expect([reply.statusCode, reply.body]).toEqual([500, "internal error"]);
    expect(logged).toMatchObject([{ fields: { err: error, method: "PUT", url: "/v1/job/web/evaluate" } }]);
  });
});

describe("deregister everywhere", () => {
  it("global: the region that is asked stops it in every region", async () => {
    const { app, calls } = createWorld({ answers, others: ["eu", "asia"] });
    const reply = await app.inject({ method: "DELETE", url: "/v1/job/web?global=true&purge=true&region=eu" });
    expect(reply.json()).toMatchObject({ EvalID: REGISTERED.EvalID, Index: 35 });
    expect(calls).toMatchObject([{ region: "eu", request: { JobID: "web", Purge: true, Regions: ["asia", "us"] } }]);
  });

  it("global, a region that cannot be reached: is owed the stop too, and named in the answer", async () => {
    const members = [
      ...[Member.create({ Region: "mars", Status: "failed" }), Member.create({ Region: "us" })],
      Member.create({ Region: "moon", Status: "left" }),
    ];
    const deregister = async () => ({ ...REGISTERED, Warnings: ["mars is late"] });
    const { app, calls } = createWorld({ answers: { jobs: { deregister } }, others: ["eu"], members });
    const reply = await app.inject({ method: "DELETE", url: "/v1/job/web?global=true" });
    expect(reply.json()).toMatchObject({ Warnings: "1 warning:\n\n* mars is late" });
    expect(calls).toMatchObject([{ region: "", request: { Regions: ["eu", "mars"] } }]);
  });
});
