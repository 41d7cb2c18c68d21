import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeaderBlocks } from "./header-blocks.ts";
import { type PlainRequest, readPlain } from "./plain-request.ts";

const read = (text: string, blocks = new HeaderBlocks()) => readPlain(Buffer.from(text, "latin1"), blocks, true);

const HEAD = "GET /v1/jobs?prefix=a%20b HTTP/1.1\r\nHost: x\r\nX-Nomad-Token: t\r\n\r\n";

test("whole request, is told in its parts", () => {
  expect(read(HEAD)).toMatchObject({
    ...{ method: "GET", url: "/v1/jobs?prefix=a%20b", path: "/v1/jobs", query: "prefix=a%20b" },
    ...{ headers: { host: "x", "x-nomad-token": "t" }, body: Buffer.alloc(0) },
  });
  expect(read("PUT /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")).toMatchObject({
    body: Buffer.from("{}"),
  });
});

test("headers that are not known, are learned only when that is asked for, and then known", () => {
  const blocks = new HeaderBlocks();
  expect(readPlain(Buffer.from(HEAD), blocks, false)).toBe("unknown");
  const first = read(HEAD, blocks) as PlainRequest;
  expect((readPlain(Buffer.from(HEAD), blocks, false) as PlainRequest).headers).toBe(first.headers);
});

describe("left to node:http", () => {
  const with_ = (...lines: string[]) =>
    `PUT / HTTP/1.1\r\nHost: x\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  test.each([
    ["the beginning of a head", "GET / HTTP/1.1\r\nHost: x\r\n"],
    ["the beginning of a body", `${with_("Content-Length: 3")}ab`],
    ["two requests", `${HEAD}${HEAD}`],
    ["a path to decode", "GET /v1/job/a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["a target that is no path", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["another version", "GET / HTTP/1.0\r\nHost: x\r\n\r\n"],
    ["another method", "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["no host", "GET / HTTP/1.1\r\nAccept: x\r\n\r\n"],
    ["a body in chunks", `${with_("Transfer-Encoding: chunked")}0\r\n\r\n`],
    ["two lengths", `${with_("Content-Length: 2", "Content-Length: 3")}ab`],
    ["a length that is none", `${with_("Content-Length: 2x")}ab`],
    ["chunks and a length", `${with_("Content-Length: 2", "Transfer-Encoding: chunked")}ab`],
    ["a protocol to change to", with_("Connection: Upgrade", "Upgrade: websocket")],
    ["a connection to end", with_("Connection: close")],
    ["a body that waits for leave", with_("Expect: 100-continue")],
    ["a folded line", with_("A: b", " c")],
    ["a line that ends in LF", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"],
    ["a blank before the colon", with_("A : b")],
    ["a zero byte", with_("A: \0")],
  ])("%s", (_what, text) => {
    const blocks = new HeaderBlocks();
    expect([read(text, blocks), read(text, blocks)]).toEqual(["other", "other"]);
  });
});

test("any bytes that are taken, are one request to node:http, the same in all its parts", async () => {
  const piece = fc.constantFrom(
    ...[
      "GET ",
      "PUT ",
      "/",
      "/v1/jobs",
      "?a=b",
      " HTTP/1.1",
      "\r\n",
      "\r\n",
      "\r\n\r\n",
      "\n",
      "\r",
      " ",
      "\t",
      ":",
      "\0",
    ],
    ...["Host: x\r\n", "Host: y\r\n", "Content-Length: 2\r\n", "Content-Length: 0\r\n", "content-length:2\r\n", "{}"],
    ...[
      "Transfer-Encoding: chunked\r\n",
      "Connection: keep-alive\r\n",
      "Cookie: a=b\r\n",
      "Cookie: c\r\n",
      "A: \xe9\r\n",
    ],
    ...[
      "X-Nomad-Token:  t \r\n",
      "Accept: a\r\n",
      "Accept: b\r\n",
      "A\x01: b\r\n",
      "__proto__: x\r\n",
      "2\r\n{}\r\n0\r\n\r\n",
    ],
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
    fc
      .tuple(fc.constantFrom("GET", "PUT"), fc.array(piece, { maxLength: 6 }), fc.constantFrom("", "{}", "{}{}"))
      .map(([method, pieces, body]) => `${method} /v1/jobs HTTP/1.1\r\nHost: x\r\n${pieces.join("")}\r\n${body}`),
  );
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(text, async (text) => {
      const plain = read(text);
      if (typeof plain === "string") return;
      taken += 1;
      const { method, url, headers } = plain;
      expect(await seenByNode(text)).toEqual([{ method, url, headers, body: plain.body.toString("latin1") }]);
    }),
    // About one in 25 is taken.
    { numRuns: 8000 },
  );
  expect(taken).toBeGreaterThan(100);
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The requests that node:http reads from bytes. */
async function seenByNode(text: string): Promise<Seen[]> {
  const wire = new Duplex({ read: () => undefined, write: (_piece, _encoding, done) => done() });
  const seen: (Omit<Seen, "body"> & { body: string })[] = [];
  const server = createServer(
    ({ method, url, headers }: IncomingMessage) => void seen.push({ method, url, headers, body: "" }),
  );
  server.on("request", (request: IncomingMessage) => {
    const it = seen.at(-1);
    request.setEncoding("latin1").on("data", (piece: string) => {
      if (it !== undefined) it.body += piece;
    });
  });
  server.emit("connection", wire);
  wire.emit("data", Buffer.from(text, "latin1"));
  await nextTurn();
  wire.on("error", () => undefined).destroy();
  return seen;
}
