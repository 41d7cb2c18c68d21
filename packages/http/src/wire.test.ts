// Over real connections: what inject cannot show.
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Call } from "@steppe/model";
import {
  Job,
  type JobGetRequest,
  JobGetResponse,
  JobListResponse,
  JobListStub,
  JobRegisterResponse,
} from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { listen } from "./listen.ts";
import { createWorld, META, REGISTERED, type World, type WorldOptions } from "./test-world.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).reverse()) await it.close();
});

async function serve(options: WorldOptions): Promise<World & { port: number }> {
  const world = createWorld(options);
  open.push(world.app);
  await listen(world.app, { host: "127.0.0.1", port: 0 });
  return { ...world, port: (world.app.server.address() as AddressInfo).port };
}

/** Sends bytes and collects what comes until the other side closes. */
async function talk(port: number, request: string): Promise<{ socket: Socket; reply: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  open.push({ close: () => socket.destroy() });
  await once(socket, "connect");
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  const reply = once(socket, "close").then(() => text);
  socket.write(request);
  return { socket, reply };
}

const request = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, "Host: x", ...headers].join("\r\n")}\r\n\r\n`;

/** A read that waits until its signal aborts, as a blocking query on something quiet does. */
function blockedGet() {
  const arrived = Promise.withResolvers<Call>();
  const get = (_request: JobGetRequest, call: Call) => {
    arrived.resolve(call);
    return new Promise<never>((_resolve, reject) => {
      call.signal.addEventListener("abort", () => reject(call.signal.reason));
    });
  };
  return { get, arrived: arrived.promise };
}

describe("a connection", () => {
  it("dots and double slashes in the path: part of the job's ID", async () => {
    const answers = { jobs: { get: async () => JobGetResponse.create({ Job: Job.create({ ID: "x" }), Meta: META }) } };
    const { port, calls } = await serve({ answers });
    for (const path of ["../x", "a/./b", "//x//"]) {
      await (await talk(port, request(`GET /v1/job/${path}`, "Connection: close"))).reply;
    }
    expect(calls.map((call) => (call.request as JobGetRequest).JobID)).toEqual(["../x", "a/./b", "//x//"]);
  });

  it("a write without a body, none announced: answered as one with an empty body", async () => {
    const { port } = await serve({});
    for (const headers of [[], ["Content-Length: 0"]]) {
      const { reply } = await talk(port, request("PUT /v1/jobs", ...headers, "Connection: close"));
      expect(await reply).toMatch(/^HTTP\/1\.1 400 [\s\S]*Request body is empty$/);
    }
  });

  it("client goes away while its query blocks: the call is aborted and no error is logged", async () => {
    const { get, arrived } = blockedGet();
    const { port, logged } = await serve({ answers: { jobs: { get } } });
    const { socket } = await talk(port, request("GET /v1/job/web?index=5"));
    const call = await arrived;
    expect(call.signal.aborted).toBe(false);
    socket.destroy();
    if (!call.signal.aborted) await once(call.signal, "abort");
    expect(logged.map(({ message }) => message)).not.toContain("request failed unexpectedly");
  });

  it("app closes: a blocked query is answered 503 at once, a write under way finishes", async () => {
    const { get, arrived } = blockedGet();
    const written = Promise.withResolvers<JobRegisterResponse>();
    const asked = Promise.withResolvers<void>();
    const evaluate = () => {
      asked.resolve();
      return written.promise;
    };
    const { port, app } = await serve({ answers: { jobs: { get, evaluate } } });
    const blocked = await talk(port, request("GET /v1/job/web?index=5"));
    const write = await talk(port, request("PUT /v1/job/web/evaluate"));
    await Promise.all([arrived, asked.promise]);

    const closed = app.close();
    const answer = await blocked.reply;
    written.resolve(JobRegisterResponse.create(REGISTERED));

    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toContain("server is shutting down");
    expect(await write.reply).toMatch(/^HTTP\/1.1 200 [\s\S]*Connection: close/);
    await closed;
  });

  it("a body that does not say its length and is too long: 413", async () => {
    const { port, calls } = await serve({ bodyLimit: 100 });
    const chunk = `c8\r\n${"x".repeat(200)}\r\n0\r\n\r\n`;
    const { reply } = await talk(port, request("PUT /v1/jobs", "Transfer-Encoding: chunked") + chunk);
    expect(await reply).toMatch(/^HTTP\/1.1 413 [\s\S]*request body is larger than 100 bytes$/);
    expect(calls).toEqual([]);
  });

  it.each(["web", "Zürich €"])("page token with letters of any script beside %s: its UTF-8 bytes", async (name) => {
    const Meta = { ...META, NextToken: "default.straße-€" };
    const { port } = await serve({
      answers: { jobs: { get: async () => ({ Job: Job.create({ Name: name }), Meta }) } },
    });
    const { reply } = await talk(port, request("GET /v1/job/web", "Connection: close"));
    expect(await reply).toContain("X-Nomad-NextToken: default.straße-€\r\n");
    expect(await reply).toContain(`"Name":"${name}"`);
  });

  it("page token that no header can hold: 500, and the server lives", async () => {
    const Meta = { ...META, NextToken: "a\r\nX-Evil: 1" };
    const { port, logged } = await serve({ answers: { jobs: { get: async () => ({ Job: Job.create({}), Meta }) } } });
    const { reply } = await talk(port, request("GET /v1/job/web", "Connection: close"));
    expect(await reply).toMatch(/^HTTP\/1.1 500 [\s\S]*internal error$/);
    expect(logged).toHaveLength(1);
  });

  it("bytes that are no HTTP: 400 in plain text", async () => {
    const { port } = await serve({});
    const { reply } = await talk(port, "what is this\r\n\r\n");
    expect(await reply).toMatch(/^HTTP\/1.1 400 Bad Request\r\nContent-Type: text\/plain/);
  });

  it("one connection, many requests: kept alive", async () => {
    const { port } = await serve({});
    const { reply } = await talk(port, request("GET /a") + request("GET /b") + request("GET /c", "Connection: close"));
    expect((await reply).match(/404 Not Found/g)).toHaveLength(3);
  });
});

/** Which node:http gets, whatever else the request is. */
const UNUSUAL = "TE: trailers";

const JOBS = Array.from({ length: 1000 }, (_, n) => JobListStub.create({ ID: `job-${n}` }));

const anyAnswer = () => ({
  jobs: {
    get: async () => JobGetResponse.create({ Job: Job.create({ ID: "web", Name: "Zürich" }), Meta: META }),
    list: async () => JobListResponse.create({ Jobs: JOBS, Meta: META }),
    evaluate: async () => REGISTERED,
  },
});

describe("a plain request", () => {
  it.each([
    ["a job", "GET /v1/job/web", "", []],
    ["a job, packed", "GET /v1/job/web", "", ["Accept-Encoding: gzip"]],
    ["only the headers", "HEAD /v1/job/web", "", []],
    ["a list in pieces", "GET /v1/jobs?prefix=", "", []],
    ["a list in pieces, packed", "GET /v1/jobs", "", ["Accept-Encoding: gzip"]],
    ["no such path", "GET /v1/nothing", "", []],
    ["a method that is not served", "DELETE /v1/jobs", "", []],
    ["a bad parameter", "GET /v1/jobs?index=x", "", []],
    ["a write", "PUT /v1/job/web/evaluate", '{"JobID":"web"}', []],
    ["a write that says nothing", "PUT /v1/jobs", "{", []],
    ["a body that is too long", "PUT /v1/jobs", "x".repeat(2000), []],
  ])("%s: the answer of node:http", async (_what, line, body, headers) => {
    const { port } = await serve({ answers: anyAnswer(), bodyLimit: 1000 });
    const length = body === "" ? [] : [`Content-Length: ${body.length}`];
    const end = request("GET /v1/end", "Connection: close");
    const answers: string[] = [];
    for (const more of [[], [UNUSUAL]]) {
      const { socket, reply } = await talk(port, request(line, ...length, ...headers, ...more) + body);
      await once(socket, "data");
      socket.write(end);
      answers.push((await reply).replaceAll(/(Date|Keep-Alive): [^\r]*\r\n/g, ""));
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toMatch(/^HTTP/);
  });

  it("one that comes while another is under way: both answered, in order", async () => {
    const written = Promise.withResolvers<JobRegisterResponse>();
    const asked = Promise.withResolvers<void>();
    const evaluate = () => {
      asked.resolve();
      return written.promise;
    };
    const { port } = await serve({ answers: { jobs: { evaluate } } });
    const { socket, reply } = await talk(port, request("PUT /v1/job/web/evaluate"));
    await asked.promise;
    socket.write(request("GET /a"));
    socket.write(request("GET /b", "Connection: close"));
    written.resolve(REGISTERED);
    expect((await reply).match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 404"]);
  });

  it("headers that are new each time: each answered", async () => {
    const { port } = await serve({});
    const { socket, reply } = await talk(port, "");
    for (let n = 0; n < 10; n++) {
      socket.write(request("GET /a", `Traceparent: ${n}`));
      await once(socket, "data");
    }
    socket.end();
    expect((await reply).match(/404 Not Found/g)).toHaveLength(10);
  });

  it.each(["", request("GET /a")])("nothing more after %j: the connection ends in time", async (first) => {
    const { port, app } = await serve({});
    Object.assign(app.server, { keepAliveTimeout: 20, requestTimeout: 20 });
    const { reply } = await talk(port, first);
    expect(await reply).toMatch(first === "" ? /^$/ : /^HTTP\/1.1 404 /);
  });

  it("a blocked query outlives the time that a silent connection has", async () => {
    const { get, arrived } = blockedGet();
    const { port, app } = await serve({ answers: { jobs: { get } } });
    Object.assign(app.server, { keepAliveTimeout: 20, requestTimeout: 20 });
    const { socket } = await talk(port, request("GET /v1/job/web?index=5"));
    const call = await arrived;
    for (let n = 0; n < 3; n++) await (await talk(port, request("GET /a"))).reply;
    expect([call.signal.aborted, socket.closed]).toEqual([false, false]);
  });
});
