import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import type { HttpOptions } from "./options.ts";
import { createWorld } from "./test-world.ts";

const EXEC = "/v1/client/allocation/00000000-0000-4000-8000-000000000001/exec?task=t&command=%5B%22x%22%5D";
const OTHER = "https://page.example";

/** Asks for a websocket as a browser does. Status and text of the answer; 101 where it was given. */
async function ask(path: string, origin: string | undefined, options: HttpOptions = {}): Promise<[number, string]> {
  const { app } = createWorld(options);
  onTestFinished(() => app.close());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const asked = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
  const headers = {
    ...asked,
    "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64"),
    ...(origin && { Origin: origin }),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers });
    sent.once("upgrade", (response, socket) => {
      socket.destroy();
      resolve([response.statusCode ?? 0, ""]);
    });
    sent.once("response", async (response: IncomingMessage) =>
      resolve([response.statusCode ?? 0, await text(response)]),
    );
    sent.once("error", reject);
    sent.end();
  });
}

const REFUSED = "failed to upgrade connection: websocket: request origin not allowed by Upgrader.CheckOrigin";
const allowing = (...allowedOrigins: string[]): HttpOptions => ({
  cors: { allowedOrigins, allowedHeaders: [], allowCredentials: false, maxAgeMs: 0 },
});

test.each<[what: string, origin: string | undefined, options: HttpOptions, status: number, text: string]>([
  ["without an origin, as from a command", undefined, {}, 101, ""],
  ["from a page of another origin", OTHER, {}, 403, REFUSED],
  ["from what is no origin", "null", {}, 403, REFUSED],
  ["from a page of an origin that is allowed", OTHER, allowing(OTHER), 101, ""],
  ["from any page, where all are", OTHER, allowing("*"), 101, ""],
  ["from a page where others are allowed", OTHER, allowing("https://other.example"), 403, REFUSED],
])("a websocket %s, is answered", async (_, origin, options, status, body) => {
  expect(await ask(EXEC, origin, options)).toEqual([status, body]);
  expect(await ask("/v1/job/a%2Fb/action?action=x&task=t", origin, options)).toEqual([status, body]);
});

test("a websocket at a path that has none, is not found", async () => {
  for (const path of ["/v1/jobs", "/v1/job/action", "/v1/job/%zz/action", "/"]) {
    expect(await ask(path, undefined)).toEqual([404, ""]);
  }
});
