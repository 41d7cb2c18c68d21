import { gunzipSync, inflateSync } from "node:zlib";
import { Job, JobGetResponse, JobListResponse, JobListStub } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { createWorld, META, META_HEADERS } from "./test-world.ts";

const answers = {
  jobs: {
    get: async ({ JobID }: { JobID: string }) =>
      JobGetResponse.create(
        JobID === "web" ? { Job: Job.create({ ID: "web", Name: "Zürich" }), Meta: META } : { Meta: META },
      ),
  },
};

const get = (url: string, headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") =>
  createWorld({ answers }).app.inject({ method, url, headers });

describe("compression", () => {
  it.each([
    ["gzip", gunzipSync],
    ["deflate", inflateSync],
  ])("%s accepted: the same body, packed", async (encoding, unpack) => {
    const plain = await get("/v1/job/web");
    const packed = await get("/v1/job/web", { "accept-encoding": encoding });
    expect(packed.headers).toMatchObject({
      ...META_HEADERS,
      "content-encoding": encoding,
      "content-length": String(packed.rawPayload.length),
      vary: "Accept-Encoding",
    });
    expect(unpack(packed.rawPayload).toString()).toBe(plain.body);
    expect(plain.headers).not.toHaveProperty("content-encoding");
  });

  it("errors: packed as well", async () => {
    const reply = await get("/v1/job/none", { "accept-encoding": "gzip" });
    expect(reply.statusCode).toBe(404);
    expect(gunzipSync(reply.rawPayload).toString()).toBe("job not found");
  });

  it("an empty body: left empty", async () => {
    const reply = await get("/nowhere", { "accept-encoding": "gzip" });
    expect(reply.rawPayload).toHaveLength(0);
    expect(reply.headers).not.toHaveProperty("content-encoding");
  });
});

describe("HEAD", () => {
  it.each([{}, { "accept-encoding": "gzip" }])("%o: the headers of GET and no body", async (headers) => {
    const full = await get("/v1/job/web");
    const head = await get("/v1/job/web", headers, "HEAD");
    expect(head.statusCode).toBe(200);
    expect(head.rawPayload).toHaveLength(0);
    expect(head.headers).toMatchObject({ ...META_HEADERS, "content-length": String(full.rawPayload.length) });
    expect(head.headers).not.toHaveProperty("content-encoding");
  });

  it("of something unknown: 404 without a body", async () => {
    const head = await get("/v1/job/none", {}, "HEAD");
    expect([head.statusCode, head.body, head.headers["content-length"]]).toEqual([404, "", "13"]);
  });
});

describe("a list of 1,000", () => {
  const Jobs = Array.from({ length: 1_000 }, (_, n) => JobListStub.create({ ID: `job-${n}`, Name: "Zürich" }));
  const long = createWorld({ answers: { jobs: { list: async () => JobListResponse.create({ Jobs, Meta: META }) } } });
  const list = (headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET", query = "") =>
    long.app.inject({ method, url: `/v1/jobs${query}`, headers });
  const ids = (body: string) => (JSON.parse(body) as { ID: string }[]).map(({ ID }) => ID);
  const all = Jobs.map(({ ID }) => ID);

  it("goes out in pieces, whole and in order", async () => {
    const reply = await list();
    expect(reply.headers).toMatchObject({ ...META_HEADERS, "content-type": "application/json" });
    expect(reply.headers).not.toHaveProperty("content-length");
    expect(ids(reply.body)).toEqual(all);
  });

  it("packed: the same", async () => {
    const reply = await list({ "accept-encoding": "gzip" });
    expect(ids(gunzipSync(reply.rawPayload).toString())).toEqual(all);
  });

  it("HEAD: headers only", async () => {
    const reply = await list({}, "HEAD");
    expect([reply.statusCode, reply.body]).toEqual([200, ""]);
    expect(reply.headers).toMatchObject(META_HEADERS);
  });

  it("pretty: indented", async () => {
    const reply = await list({}, "GET", "?pretty");
    expect(reply.body).toMatch(/^\[\n {4}\{\n/);
    expect(ids(reply.body)).toEqual(all);
  });

  it("leaves other requests their turn before it is written", async () => {
    const order: string[] = [];
    await Promise.all([
      list().then(() => order.push("list")),
      long.app.inject({ url: "/v1/status/leader" }).then(() => order.push("other")),
    ]);
    expect(order).toEqual(["other", "list"]);
  });
});

describe("pretty", () => {
  it("four spaces and a last newline", async () => {
    const reply = await get("/v1/job/web?pretty");
    expect(reply.body).toBe(`${JSON.stringify(reply.json(), null, 4)}\n`);
    expect(reply.body).toContain('\n    "ID": "web"');
    expect(reply.headers["content-length"]).toBe(String(reply.rawPayload.length));
  });

  it("0: compact", async () => {
    expect((await get("/v1/job/web?pretty=0")).body).not.toContain("\n");
  });
});

describe("no such thing", () => {
  it.each(["/ui/", "/v1", "/v1/nothing", "/v1/job"])("%s: 404 with an empty body", async (url) => {
    const reply = await get(url);
    expect([reply.statusCode, reply.body, reply.headers["content-length"]]).toEqual([404, "", "0"]);
  });

  it.each([
    ["PUT", "/v1/evaluations"],
    ["DELETE", "/v1/jobs"],
    ["GET", "/v1/job/web/evaluate"],
    ["DELETE", "/v1/job/web/periodic/force"],
    ["POST", "/v1/job/web/allocations"],
    ["PATCH", "/v1/job/web"],
    ["POST", "/v1/agent/self"],
    ["PUT", "/v1/allocation/x"],
    ["HEAD", "/v1/job/web/evaluate"],
  ] as const)("%s %s: 405", async (method, url) => {
    const { app, calls } = createWorld({ answers });
    const reply = await app.inject({ method, url });
    expect(reply.statusCode).toBe(405);
    expect(reply.body).toBe(method === "HEAD" ? "" : "Invalid method");
    expect(calls).toEqual([]);
  });
});
