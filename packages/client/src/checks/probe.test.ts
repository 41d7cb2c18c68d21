// Over real sockets of this machine.
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Question } from "./check-plan.ts";
import { probeNetwork } from "./probe.ts";

let http: HttpServer;
let silent: Server;
const never = new AbortController().signal;
const portOf = (server: Server | HttpServer) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  http = createServer((request, response) => {
    const { method, url, headers } = request;
    response.statusCode = Number(/\d+/.exec(url ?? "")?.[0] ?? 200);
    response.end(`${method} ${url} ${headers["x-asked"]} ${"y".repeat(4000)}`);
  });
  // Takes connections and says nothing.
  silent = createTcpServer();
  for (const server of [http, silent]) {
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  }
});
afterAll(() => {
  http.close();
  silent.close();
});

const get = (fields: Partial<Question & { kind: "http" }>): Question => ({
  ...{
    kind: "http",
    host: "127.0.0.1",
    port: portOf(http),
    tls: false,
    verify: true,
    path: "/",
    method: "GET",
    headers: {},
    body: "",
  },
  ...fields,
});

describe("probe", () => {
  test.each([
    [200, true, "nomad: http ok"],
    [302, true, "nomad: http ok"],
    [404, false, "POST /404 a, b yyy"],
    [503, false, "POST /503 a, b yyy"],
  ])("http that answers %i, passes: %j", async (statusCode, ok, output) => {
    const question = get({ path: `/${statusCode}`, method: "POST", headers: { "X-Asked": ["a", "b"] }, body: "?" });
    const answer = await probeNetwork(question, 5000, never);
    expect(answer).toMatchObject({ ok, statusCode });
    expect(answer.output).toContain(output);
    expect(answer.output.length).toBeLessThanOrEqual(3072);
  });

  test("a port that takes connections, passes for tcp", async () => {
    const answer = await probeNetwork({ kind: "tcp", host: "127.0.0.1", port: portOf(silent) }, 5000, never);
    expect(answer).toEqual({ ok: true, output: "nomad: tcp ok", statusCode: 0 });
  });

  test("a port that nobody listens on, fails with why", async () => {
    const port = 1;
    const tcp = await probeNetwork({ kind: "tcp", host: "127.0.0.1", port }, 5000, never);
    expect(tcp).toMatchObject({ ok: false, output: expect.stringContaining("dial tcp 127.0.0.1:1: ") });
    const answer = await probeNetwork(get({ port }), 5000, never);
    expect(answer).toMatchObject({ ok: false, output: expect.stringContaining("ECONNREFUSED"), statusCode: 0 });
  });

  test("http that says nothing, fails when its time is over", async () => {
    const answer = await probeNetwork(get({ port: portOf(silent) }), 50, never);
    expect(answer).toEqual({ ok: false, output: "nomad: no answer within 50 ms", statusCode: 0 });
  });
});
