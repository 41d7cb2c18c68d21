// What holds for every route: OPTIONS, CORS, fixed headers, the root, connections per client.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { createWorld } from "./test-world.ts";

const CORS = {
  allowedOrigins: ["https://ui.example"],
  allowedHeaders: ["X-Mine"],
  allowCredentials: true,
  maxAgeMs: 60_000,
};

describe("OPTIONS", () => {
  test.each([
    ["/v1/regions", "GET, HEAD, OPTIONS"],
    ["/v1/jobs", "GET, PUT, POST, HEAD, OPTIONS"],
    ["/v1/job/a/evaluate", "PUT, POST, OPTIONS"],
  ])("%s: 204 with what may be asked", async (url, allow) => {
    const reply = await createWorld().app.inject({ method: "OPTIONS", url });
    expect([reply.statusCode, reply.headers.allow, reply.body]).toEqual([204, allow, ""]);
  });

  test("an unknown path: 404", async () => {
    expect((await createWorld().app.inject({ method: "OPTIONS", url: "/v1/nothing" })).statusCode).toBe(404);
  });
});

describe("CORS", () => {
  const headersOf = async (cors: typeof CORS | undefined, origin: string, method: "GET" | "OPTIONS" = "GET") =>
    (await createWorld({ cors }).app.inject({ method, url: "/v1/regions", headers: { origin } })).headers;

  test("not configured, no page may read anything", async () => {
    expect(await headersOf(undefined, "https://ui.example")).not.toHaveProperty("access-control-allow-origin");
  });

  test("an allowed origin, may read the reply and the headers of the API", async () => {
    expect(await headersOf(CORS, "https://ui.example")).toMatchObject({
      "access-control-allow-origin": "https://ui.example",
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": expect.stringContaining("X-Nomad-Index"),
    });
  });

  test("an allowed origin asks first, is told methods and headers", async () => {
    expect(await headersOf(CORS, "https://ui.example", "OPTIONS")).toMatchObject({
      "access-control-allow-methods": "GET, HEAD, PUT, POST, DELETE",
      "access-control-allow-headers": expect.stringMatching(/X-Nomad-Token.*X-Mine/),
      "access-control-max-age": "60",
    });
  });

  test("another origin, is told nothing, and caches keep the answers apart", async () => {
    const headers = await headersOf(CORS, "https://evil.example");
    expect(headers).not.toHaveProperty("access-control-allow-origin");
    expect(headers.vary).toContain("Origin");
  });

  test("all origins allowed, the answer names none", async () => {
    const open = { ...CORS, allowedOrigins: ["*"], allowCredentials: false };
    expect(await headersOf(open, "https://any.example")).toMatchObject({ "access-control-allow-origin": "*" });
  });
});

test("configured response headers, go with every reply, failures and preflights too", async () => {
  const { app } = createWorld({ responseHeaders: { "X-Frame-Options": "DENY" } });
  for (const [method, url] of [
    ["GET", "/v1/regions"],
    ["GET", "/v1/nothing"],
    ["DELETE", "/v1/regions"],
    ["OPTIONS", "/v1/regions"],
  ] as const) {
    expect((await app.inject({ method, url })).headers["x-frame-options"]).toBe("DENY");
  }
});

test("the root, leads to the page", async () => {
  const reply = await createWorld().app.inject("/");
  expect([reply.statusCode, reply.headers.location]).toEqual([307, "/ui/"]);
});

test("connections per client, one above the limit is told so and served nothing; a closed one makes room", async () => {
  const { app } = createWorld({ connsPerClientMax: 2 });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const request = "GET /v1/regions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const open = async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const [first, second] = [await open(), await open()];
  const third = await open();
  third.write(request);
  const refused = await text(third);
  expect(refused).toMatch(/^HTTP\/1.1 429 Too Many Requests\r\n/);
  expect(refused).toMatch(/Your IP is issuing too many concurrent connections, please rate limit your calls/);
  first.write(request);
  expect(await text(first)).toMatch(/^HTTP\/1.1 200 OK/);
  const fourth = await open();
  fourth.write(request);
  expect(await text(fourth)).toMatch(/^HTTP\/1.1 200 OK/);
  second.destroy();
});
