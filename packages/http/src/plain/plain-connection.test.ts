import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { HeaderBlocks } from "./header-blocks.ts";
import { PlainConnection } from "./plain-connection.ts";
import type { PlainReply } from "./plain-reply.ts";

const GET = Buffer.from("GET /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n");

function connection(serve: (reply: PlainReply) => void) {
  const unread = new Duplex({ read: () => undefined, write: () => undefined });
  const socket = Object.assign(unread, { setTimeout: () => unread, timeout: 0 }) as unknown as Socket;
  const handedOver: Socket[] = [];
  new PlainConnection(socket, {
    blocks: new HeaderBlocks(),
    times: { requestTimeout: 1_000, keepAliveTimeout: 1_000 },
    date: () => "Fri, 27 Nov 2026 04:00:00 GMT",
    serve: (_request, reply) => serve(reply),
    handOver: (given) => void handedOver.push(given),
    isClosing: () => false,
    left: () => undefined,
  });
  return { socket, handedOver };
}

function replyOf(bytes: number): (reply: PlainReply) => void {
  return (reply) => {
    reply.writeHead(200, ["Content-Length", String(bytes)]);
    reply.end("x".repeat(bytes));
  };
}

test("client that reads its replies, stays", () => {
  let served = 0;
  const { socket, handedOver } = connection((reply) => {
    served += 1;
    replyOf(10)(reply);
  });
  for (let i = 0; i < 3; i++) socket.emit("data", GET);
  expect([served, handedOver]).toEqual([3, []]);
});

test("client that asks on without reading its replies, goes to node:http, which waits for it", () => {
  let served = 0;
  const { socket, handedOver } = connection((reply) => {
    served += 1;
    replyOf(socket.writableHighWaterMark)(reply);
  });
  for (let i = 0; i < 2; i++) socket.emit("data", GET);
  expect([served, handedOver]).toEqual([1, [socket]]);
  expect(socket.read()).toEqual(GET);
});
