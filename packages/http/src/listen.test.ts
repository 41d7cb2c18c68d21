import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { listen } from "./listen.ts";
import { createWorld } from "./test-world.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const it of open.splice(0).reverse()) await it.close();
});

const HOST = "127.0.0.1";

function createApp() {
  const { app } = createWorld();
  open.push(app);
  return app;
}

async function listening() {
  const app = createApp();
  await listen(app, { host: HOST, port: 0 });
  return { app, port: (app.server.address() as AddressInfo).port };
}

function connecting(port: number): Socket {
  const socket = connect(port, HOST);
  open.push({ close: () => socket.destroy() });
  return socket;
}

describe("listening", () => {
  it.runIf(process.platform === "linux")("a crowd that connects at once, is taken in a few turns", async () => {
    const { app, port } = await listening();
    let taken = 0;
    app.server.on("connection", () => taken++);
    for (let i = 0; i < 100; i++) connecting(port);
    let turns = 0;
    while (taken < 100) {
      await new Promise(setImmediate);
      if (taken > 0) turns++;
    }
    expect(turns).toBeLessThan(50);
  });

  it("each of many connections, is answered, and let go at the end", async () => {
    const { app, port } = await listening();
    const sockets = Array.from({ length: 40 }, () => connecting(port).setEncoding("utf8"));
    for (const socket of sockets) socket.write("GET /v1/regions HTTP/1.1\r\nHost: x\r\n\r\n");
    const answers = await Promise.all(sockets.map(async (socket) => (await once(socket, "data"))[0] as string));
    expect(answers.every((it) => it.startsWith("HTTP/1.1 200 OK"))).toBe(true);

    const ends = sockets.map((socket) => once(socket, "close"));
    await app.close();
    await Promise.all(ends);
    const late = connecting(port);
    await expect(once(late, "connect")).rejects.toThrow("ECONNREFUSED");
  });

  it("the port is another server's, one that shares it or not: rejects", async () => {
    const { port } = await listening();
    await expect(listen(createApp(), { host: HOST, port })).rejects.toThrow("EADDRINUSE");

    const bare = createServer().listen({ host: HOST, port: 0 });
    open.push(bare);
    await once(bare, "listening");
    const at = { host: HOST, port: (bare.address() as AddressInfo).port };
    await expect(listen(createApp(), at)).rejects.toThrow("EADDRINUSE");
  });
});
