import type { NatsConnection } from "@nats-io/nats-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeBusContract } from "./bus-contract.ts";
import { createNatsBus } from "./nats-bus.ts";
import { connectNats } from "./nats-connection.ts";
import { type NatsServer, startNats } from "./testing/nats-server.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";

const logger = createQuietLogger();
let server: NatsServer;
let regions = 0;

beforeAll(async () => {
  server = await startNats();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function connected(): Promise<NatsConnection> {
  const connection = await connectNats({ servers: [server.url], name: "test", logger });
  onTestFinished(() => connection.close());
  return connection;
}

describeBusContract("NATS", async () => {
  const region = `region ${++regions}`;
  const [one, two] = [await connected(), await connected()];
  return {
    here: createNatsBus(one, region, logger),
    there: createNatsBus(two, region, logger),
    // Each round trip proves that the server has taken what that connection sent before.
    async settled() {
      await one.flush();
      await two.flush();
      await one.flush();
    },
  };
});

test("NATS bus: another region on the same servers, hears nothing", async () => {
  const connection = await connected();
  const [eu, us] = [createNatsBus(connection, "eu", logger), createNatsBus(connection, "us", logger)];
  us.serve("s", async (payload) => payload, new AbortController().signal);
  await expect(eu.request("s", new Uint8Array(1), 2000)).rejects.toThrow("nobody serves s");
});
