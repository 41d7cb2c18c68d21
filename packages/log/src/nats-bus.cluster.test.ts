import type { NatsConnection } from "@nats-io/nats-core";
import { createClock } from "@steppe/runtime";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeBusContract } from "./bus-contract.ts";
import { createNatsBus } from "./nats-bus.ts";
import { connectNats } from "./nats-connection.ts";
import { type NatsServer, startNats } from "./testing/nats-server.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";

const logger = createQuietLogger();
const clock = createClock();
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
    here: createNatsBus(one, region, { clock, logger }),
    there: createNatsBus(two, region, { clock, logger }),
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
  const [eu, us] = [
    createNatsBus(connection, "eu", { clock, logger }),
    createNatsBus(connection, "us", { clock, logger }),
  ];
  us.serve("s", async (payload) => payload, new AbortController().signal);
  await expect(eu.request("s", new Uint8Array(1), 2000)).rejects.toThrow("nobody serves s");
});

test("NATS bus: a subject that the asking process serves itself, is asked here, and of others once it serves no more", async () => {
  const [one, two] = [await connected(), await connected()];
  const [here, there] = [one, two].map((it) => createNatsBus(it, "home", { clock, logger }));
  const stop = new AbortController();
  const served = (by: string) => async () => new TextEncoder().encode(by);
  here?.serve("s", served("here"), stop.signal);
  there?.serve("s", served("there"), new AbortController().signal);
  await two.flush();
  const ask = async () => new TextDecoder().decode(await here?.request("s", new Uint8Array(1), 2000));
  for (let i = 0; i < 20; i++) expect(await ask()).toBe("here");
  stop.abort();
  await one.flush();
  expect(await ask()).toBe("there");
});
