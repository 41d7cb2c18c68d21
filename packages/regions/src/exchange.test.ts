import { afterEach, describe, expect, it } from "vitest";
import { createDirectory, type Directory } from "./directory.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import type { GrpcServer } from "./forward-server.ts";
import { Cleanup, clock, connect, member, quiet, REFUSING_PORT, random, recordingLogger, serve } from "./testkit.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

interface Peer {
  readonly directory: Directory;
  readonly exchange: Exchange;
  readonly server: GrpcServer;
}

/** Far longer than any test: who fails here is seen to be gone, not late. */
const FAIL_AFTER_MS = 60_000;

/** A server with nothing but its membership, that has joined the one on `joinPort`. */
async function peer(region: string, joinPort?: number, logger = quiet): Promise<Peer> {
  const box: { exchange?: Exchange } = {};
  const membership = {
    exchange: (...given: Parameters<Exchange["service"]["exchange"]>) =>
      box.exchange?.service.exchange(...given) ?? Promise.reject(new Error("early")),
    held: () => Promise.reject(new Error("unexpected call")),
  };
  const server = await serve(cleanup, { membership });
  const self = member(`${region}-1.${region}`, region, { GrpcPort: server.port });
  const directory = createDirectory({ self, failAfterMs: FAIL_AFTER_MS });
  const join = joinPort === undefined ? [] : [`127.0.0.1:${joinPort}`];
  box.exchange = createExchange({ directory, channels: connect(cleanup), join, clock, random, logger });
  return { directory, exchange: box.exchange, server };
}

const regionsOf = ({ directory }: Peer) => directory.regions(clock.monotonicMs());
const statusesOf = ({ directory }: Peer) =>
  Object.fromEntries(directory.members(clock.monotonicMs()).map((it) => [it.Region, it.Status]));

async function threeRegions(): Promise<[Peer, Peer, Peer]> {
  const us = await peer("us");
  const eu = await peer("eu", us.server.port);
  const ap = await peer("ap", us.server.port);
  return [us, eu, ap];
}

/** One round of every peer, in turn. */
async function rounds(peers: readonly Peer[], count: number): Promise<void> {
  for (let round = 0; round < count; round++) for (const { exchange } of peers) await exchange.round();
}

describe("exchange", () => {
  it("three regions that know one server of one of them, know each other after two rounds", async () => {
    const peers = await threeRegions();
    await rounds(peers, 2);

    for (const it of peers) expect(regionsOf(it)).toEqual(["ap", "eu", "us"]);
  });

  it("server that dies, is failed in the other regions and the rest stay", async () => {
    const [us, eu, ap] = await threeRegions();
    await rounds([us, eu, ap], 2);
    await eu.server.close(0);
    await rounds([us, ap], 2);

    for (const it of [us, ap]) {
      expect(regionsOf(it)).toEqual(["ap", "us"]);
      expect(statusesOf(it)).toEqual({ us: "alive", ap: "alive", eu: "failed" });
    }
  });

  it("server that was taken for dead, is alive again when its rounds are heard", async () => {
    const [us, eu] = await threeRegions();
    await rounds([us, eu], 2);
    us.directory.suspect("eu-1.eu");
    expect(regionsOf(us)).toEqual(["us"]);
    await us.exchange.round();

    expect(regionsOf(us)).toEqual(["eu", "us"]);
  });

  it("server that leaves, is left at once where it says so", async () => {
    const [us, eu, ap] = await threeRegions();
    await rounds([us, eu, ap], 2);
    await eu.exchange.leave();

    for (const it of [us, ap]) expect(statusesOf(it)).toMatchObject({ eu: "left" });
  });

  it("join address that nobody answers at, is logged once and tried again each round", async () => {
    const logger = recordingLogger();
    const us = await peer("us", REFUSING_PORT, logger);
    await rounds([us], 4);

    expect(logger.lines.map((it) => it.message)).toEqual(["no answer to the member exchange"]);
  });

  it("join address that is the own one, is asked once only", async () => {
    const us = await peer("us");
    const logger = recordingLogger();
    const join = [`127.0.0.1:${us.server.port}`];
    const channels = connect(cleanup);
    const again = createExchange({ directory: us.directory, channels, join, clock, random, logger });
    await again.round();
    channels.close();
    await again.round();

    expect(logger.lines.map((it) => it.message)).toEqual(["exchanging members"]);
  });

  it("running, goes on by itself and stops with its signal", async () => {
    const us = await peer("us");
    const eu = await peer("eu", us.server.port);
    const stop = new AbortController();
    const running = eu.exchange.run(stop.signal);
    await expect.poll(() => regionsOf(us), { timeout: 5_000 }).toEqual(["eu", "us"]);
    stop.abort();

    await running;
  });
});
