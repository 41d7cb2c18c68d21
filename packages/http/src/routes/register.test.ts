import { type JobRegisterRequest, JobRegisterResponse, Member } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, REGISTERED, type WorldOptions } from "../test-world.ts";

const answers = { jobs: { register: async () => REGISTERED } };

interface Sent {
  readonly url?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly world?: WorldOptions;
}

async function put({ url = "/v1/job/web", body, headers = {}, world = {} }: Sent) {
  const { app, calls } = createWorld({ answers, others: ["eu"], ...world });
  const payload = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  const reply = await app.inject({ method: "PUT", url, headers, ...(payload === undefined ? {} : { payload }) });
  return { reply, call: calls[0], request: calls[0]?.request as JobRegisterRequest | undefined };
}

describe("register", () => {
  it("a job: the service's answer in the API's shape", async () => {
    const { reply, call, request } = await put({ body: { Job: { ID: "web", TaskGroups: [{ Name: "api" }] } } });
    expect(reply.statusCode).toBe(200);
    expect(reply.body).toBe(
      '{"EvalID":"d092fdc0-e1fd-2536-67d8-43af8ca798ac","EvalCreateIndex":35,"JobModifyIndex":34,"Warnings":"",' +
        '"Index":35,"LastContact":0,"KnownLeader":false,"NextToken":""}',
    );
    expect(reply.headers).toMatchObject({ "x-nomad-index": "35", "content-type": "application/json" });
    expect(reply.headers).not.toHaveProperty("x-nomad-knownleader");
    expect(call?.method).toBe("jobs.register");
    expect(request).toMatchObject({
      Write: { Region: "", Namespace: "default", AuthToken: "", RequestID: "", Fingerprint: "", Forwarded: false },
      Job: { ID: "web", Region: "us", Namespace: "default", TaskGroups: [{ Name: "api" }] },
      EnforceIndex: false,
      JobModifyIndex: 0,
    });
  });

  it("a job of the oldest documented form: taken as it stands", async () => {
    const network = { Device: "", CIDR: "", IP: "", MBits: 100, ReservedPorts: null, DynamicPorts: null };
    const job = {
      Region: "global",
      ID: "web",
      Name: "web",
      Type: "service",
      Priority: 50,
      AllAtOnce: false,
      Datacenters: ["us2", "eu1"],
      Constraints: null,
      TaskGroups: [
        {
          Name: "binsl",
          Count: 5,
          Tasks: [
            {
              Name: "binstore",
              Driver: "docker",
              Config: { image: "hashicorp/binstore" },
              Constraints: null,
              Resources: { CPU: 500, MemoryMB: 0, DiskMB: 0, IOPS: 0, Networks: [network] },
              Meta: null,
            },
          ],
          Meta: { elb_checks: "3" },
        },
      ],
      Update: { Stagger: 0, MaxParallel: 0 },
      Status: "",
      CreateIndex: 14,
    };
    const { reply, request } = await put({ body: { Job: job } });
    expect(reply.statusCode).toBe(200);
    expect(request?.Job).toMatchObject({
      Region: "us",
      TaskGroups: [{ Tasks: [{ Config: { image: "hashicorp/binstore" }, Resources: { DiskMB: 0, IOPS: 0 } }] }],
      Update: { Stagger: 0, MaxParallel: 0 },
    });
  });

  it.each([
    ["PUT", "/v1/job/web"],
    ["POST", "/v1/job/web"],
    ["PUT", "/v1/jobs"],
    ["POST", "/v1/jobs"],
  ] as const)("%s %s", async (method, url) => {
    const { app, calls } = createWorld({ answers });
    const reply = await app.inject({ method, url, payload: '{"Job":{"ID":"web"}}' });
    expect(reply.statusCode).toBe(200);
    expect(calls).toHaveLength(1);
  });

  it("every other field of the body: passed on", async () => {
    const { request } = await put({
      url: "/v1/jobs",
      headers: { "idempotency-key": "deploy 7/b", "x-nomad-token": "secret" },
      body: {
        job: { id: "web" },
        EnforceIndex: true,
        JobModifyIndex: 34,
        EvalPriority: 80,
        PreserveCounts: true,
        PreserveResources: true,
        PolicyOverride: true,
        Namespace: "prod",
        SecretID: "other",
        Submission: { Source: "job {}", Format: "hcl2" },
        Write: { Forwarded: true, RequestID: "smuggled" },
        Unknown: 1,
      },
    });
    expect(request).toMatchObject({
      Write: { Namespace: "prod", AuthToken: "secret", RequestID: "deploy 7/b", Forwarded: false },
      Job: { ID: "web", Namespace: "prod" },
      EnforceIndex: true,
      JobModifyIndex: 34,
      EvalPriority: 80,
      PreserveCounts: true,
      PreserveResources: true,
      Submission: { Source: "job {}", Format: "hcl2" },
    });
  });

  it("SecretID in the body: the token when no header has one", async () => {
    const { request } = await put({ body: { Job: { ID: "web" }, SecretID: "secret" } });
    expect(request?.Write?.AuthToken).toBe("secret");
  });

  it.each([undefined, "application/json", "application/x-www-form-urlencoded", "text/xml", "nonsense", ";;"])(
    "Content-Type %s: does not matter",
    async (type) => {
      const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
      const { reply } = await put({ body: '{"Job":{"ID":"web"}}', headers });
      expect(reply.statusCode).toBe(200);
    },
  );

  const namespaces: [string, object, string][] = [
    ["?namespace=q", { Namespace: "b", Job: { ID: "web", Namespace: "j" } }, "q"],
    ["", { Namespace: "b", Job: { ID: "web", Namespace: "j" } }, "b"],
    ["", { Job: { ID: "web", Namespace: "j" } }, "j"],
    ["", { Job: { ID: "web" } }, "default"],
  ];
  it.each(namespaces)("namespace of %s and %o: %s", async (query, body, namespace) => {
    const { request } = await put({ url: `/v1/job/web${query}`, body });
    expect(request).toMatchObject({ Write: { Namespace: namespace }, Job: { Namespace: namespace } });
  });
});

describe("register: region", () => {
  const job = (region: string) => ({ Job: { ID: "web", Region: region } });
  const rows: [string, string, object, string[], string, string][] = [
    ["query first", "?region=eu", { ...job("eu"), Region: "us" }, ["eu"], "eu", "eu"],
    ["then the body", "", { ...job("eu"), Region: "eu" }, ["eu"], "eu", "eu"],
    ["then the job", "", job("eu"), ["eu"], "eu", "eu"],
    ["then the agent", "", job(""), ["eu"], "", "us"],
    ["own region by name", "?region=us", job(""), [], "", "us"],
    ["global where none is called so", "", job("global"), [], "", "us"],
    ["global where one is called so", "", job("global"), ["global"], "global", "global"],
  ];
  it.each(rows)("%s", async (_name, query, body, others, routed, stored) => {
    const { call, request, reply } = await put({ url: `/v1/job/web${query}`, body, world: { answers, others } });
    expect(call?.region).toBe(routed);
    expect(request).toMatchObject({ Write: { Region: routed }, Job: { Region: stored } });
    expect(reply.json().Warnings).toBe("");
  });

  it("global, whose servers all failed: not taken for the own region", async () => {
    const members = [Member.create({ Name: "server-9.global", Region: "global", Status: "failed" })];
    const { reply, call } = await put({ body: job("global"), world: { answers, others: [], members } });
    expect([reply.statusCode, reply.body]).toEqual([500, "No path to region"]);
    expect(call).toBeUndefined();
  });

  it("query and job name different regions: the query wins and the answer warns, before the service's warnings", async () => {
    const register = async () => JobRegisterResponse.create({ ...REGISTERED, Warnings: ["mbits is deprecated"] });
    const { call, reply } = await put({
      url: "/v1/job/web?region=eu",
      body: job("us"),
      world: { answers: { jobs: { register } }, others: ["eu"] },
    });
    expect(call?.region).toBe("eu");
    expect(reply.json().Warnings).toBe(
      '2 warnings:\n\n* job names region "us" but was registered in region "eu", as the request asked\n* mbits is deprecated',
    );
  });
});

describe("register: refused before any service is asked", () => {
  const group = { Name: "api", Scaling: { Max: 3 } };
  const rows: [string, unknown, number, string | RegExp][] = [
    ["no body", undefined, 400, "Request body is empty"],
    ["broken JSON", '{"Job":', 400, /^Invalid JSON: /],
    ["text behind the JSON", '{"Job":{"ID":"web"}} x', 400, /^Invalid JSON: /],
    ["a list", "[]", 400, "Request body must be a JSON object"],
    ["null", "null", 400, "Job must be specified"],
    ["a bare job", { ID: "web" }, 400, "Job must be specified"],
    ["no ID", { Job: { Name: "web" } }, 400, "Job ID hasn't been provided"],
    ["another ID", { Job: { ID: "api" } }, 400, "Job ID does not match name"],
    [
      "a system job that scales",
      { Job: { ID: "web", Type: "system", TaskGroups: [group] } },
      400,
      "Task groups with job type system do not support scaling blocks",
    ],
    [
      "a priority out of range",
      { Job: { ID: "web" }, EvalPriority: 101 },
      400,
      "Eval priority must be between 1 and 100 inclusively",
    ],
    [
      "a negative priority",
      { Job: { ID: "web" }, EvalPriority: -1 },
      400,
      "Eval priority must be between 1 and 100 inclusively",
    ],
    [
      "a number for a string",
      { Job: { ID: 7 } },
      400,
      /^json: cannot unmarshal number.*JobRegisterRequest\.Job\.ID of type string$/,
    ],
    ["a number for a region", { Job: { ID: "web" }, Region: 7 }, 400, /JobRegisterRequest\.Region of type string$/],
    ["__proto__", '{"Job":{"ID":"web","Meta":{"__proto__":{"a":1}}}}', 400, /"__proto__" is not allowed/],
    ["escaped __proto__", '{"Job":{"ID":"web"},"\\u005f_proto__":1}', 400, /"__proto__" is not allowed/],
    [
      "bottomless nesting",
      `{"Job":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      400,
      /nested deeper than 100 levels/,
    ],
  ];
  it.each(rows)("%s", async (_name, body, status, text) => {
    const { reply, call } = await put({ body });
    expect(reply.statusCode).toBe(status);
    if (typeof text === "string") expect(reply.body).toBe(text);
    else expect(reply.body).toMatch(text);
    expect(reply.body).not.toMatch(/\n\s+at /);
    expect(call).toBeUndefined();
  });

  it("a body above the limit: 413, announced or not", async () => {
    const body = JSON.stringify({ Job: { ID: "web", Meta: { pad: "x".repeat(2000) } } });
    const announced = await put({ body, world: { answers, bodyLimit: 1000 } });
    expect([announced.reply.statusCode, announced.reply.body]).toEqual([413, "request body is larger than 1000 bytes"]);
    expect(announced.reply.headers.connection).toBe("close");
    const streamed = await put({ body, headers: { "content-length": "10" }, world: { answers, bodyLimit: 1000 } });
    expect(streamed.reply.statusCode).toBe(413);
    expect(announced.call ?? streamed.call).toBeUndefined();
  });

  it.each(["", "x".repeat(256), "naïve"])("Idempotency-Key %s: 400", async (key) => {
    const { reply, call } = await put({ body: { Job: { ID: "web" } }, headers: { "idempotency-key": key } });
    expect([reply.statusCode, reply.body]).toEqual([
      400,
      "Idempotency-Key must be 1 to 255 printable ASCII characters",
    ]);
    expect(call).toBeUndefined();
  });
});
