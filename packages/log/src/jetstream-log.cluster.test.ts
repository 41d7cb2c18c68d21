import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import { createClock } from "@steppe/runtime";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type JetStreamLogOptions, openJetStreamLog } from "./jetstream-log.ts";
import { AppendError, LogGapError, type LogRecord } from "./log.ts";
import {
  appendSurely,
  describeLogContract,
  follow,
  type LogWorld,
  numberOf,
  payload,
  range,
  readAll,
} from "./log-contract.ts";
import { connectNats } from "./nats-connection.ts";
import type { RegionLog } from "./region-log.ts";
import { regionNames } from "./region-name.ts";
import { type NatsCluster, type NatsServer, startNats, startNatsCluster } from "./testing/nats-server.ts";
import { poll } from "./testing/poll.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";

const logger = createQuietLogger();
const clock = createClock();

async function connectTo(urls: readonly string[]): Promise<NatsConnection> {
  return connectNats({ servers: urls, name: "test", logger });
}

/** One region after another on the same servers: a stream of its own for each test. */
let regions = 0;

function worldOn(servers: readonly NatsServer[], replicas: number): () => Promise<LogWorld> {
  return async () => {
    const region = `region ${++regions}`;
    const connection = await connectTo(servers.map(({ url }) => url));
    return {
      open: ({ base } = {}) =>
        openJetStreamLog({ connection, region, replicas, logger, clock, ...(base !== undefined && { base }) }),
      // All at once, as when the power fails.
      async crash() {
        await Promise.all(servers.map((server) => server.kill()));
        await Promise.all(servers.map((server) => server.restart()));
      },
      [Symbol.asyncDispose]: () => connection.close(),
    };
  };
}

describe("JetStream", () => {
  const servers: NatsServer[] = [];
  const three: NatsServer[] = [];

  beforeAll(async () => {
    servers.push(await startNats());
    three.push(...(await startNatsCluster(3)).servers);
  });

  afterAll(async () => {
    await Promise.all([...servers, ...three].map((server) => server[Symbol.asyncDispose]()));
  });

  describeLogContract("JetStream, 1 server", worldOn(servers, 1));
  describeLogContract("JetStream, 3 servers", worldOn(three, 3));
});

/** A server, a connection and an open log of its own, all ended with the test. */
async function alone(options: Partial<JetStreamLogOptions> = {}) {
  const server = await startNats();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const connection = await connectTo([server.url]);
  onTestFinished(() => connection.close());
  const open = (more: Partial<JetStreamLogOptions> = {}) =>
    openJetStreamLog({ connection, region: "eu", replicas: 1, logger, clock, ...options, ...more });
  const log = await open();
  onTestFinished(() => log.close());
  return { server, connection, log, open };
}

/** The numbers in the order in which each first came up. */
function firstOfEach(log: { readonly records: readonly Parameters<typeof numberOf>[0][] }): number[] {
  return [...new Set(log.records.map(numberOf))];
}

describe("JetStream log under faults (1 server)", () => {
  test("append: the server is paused, the outcome is unknown; sent again, all copies have an index", async () => {
    const { server, log } = await alone({ ackTimeoutMs: 300 });
    const tail = follow(log, 0);
    await log.append(payload(1));

    await server.pause();
    const append = log.append(payload(2));
    await expect(append).rejects.toSatisfy((error) => error instanceof AppendError && error.outcome === "unknown");
    server.resume();
    await appendSurely(log, 2);

    await tail.until(await log.lastIndex());
    await tail.stop();
    expect(firstOfEach(tail)).toEqual([1, 2]);
    expect(tail.records.map(({ index }) => index)).toEqual(range(1, tail.records.length));
  });

  test("append: the server is down, it is refused at once and never comes up", async () => {
    const { server, log } = await alone();
    await log.append(payload(1));
    await server.kill();
    await poll("the loss is noticed", 5000, () => log.silenceMs() > 0 || "in touch");
    await expect(log.append(payload(2))).rejects.toSatisfy(
      (error) => error instanceof AppendError && error.outcome === "refused",
    );

    await server.restart();
    await appendSurely(log, 3);
    expect((await readAll(log, 0, 2)).map(numberOf)).toEqual([1, 3]);
  });

  test("append: the server is killed while many are under way, each is acknowledged, unknown or refused", async () => {
    const { server, log } = await alone();
    const appends = range(1, 200).map((n) => log.append(payload(n)));
    const results = Promise.allSettled(appends);
    await appends[0];
    await server.kill();
    const settled = await results;
    await server.restart();
    await appendSurely(log, 1000);

    const last = await log.lastIndex();
    const came = new Set((await readAll(log, 0, last)).map(numberOf));
    for (const [i, result] of settled.entries()) {
      if (result.status === "fulfilled") expect(came).toContain(i + 1);
      else if ((result.reason as AppendError).outcome === "refused") expect(came).not.toContain(i + 1);
    }
  });

  test("tail: the server is killed and restarted meanwhile, nothing is missed or doubled", async () => {
    const { server, log } = await alone();
    const tail = follow(log, 0);
    for (let n = 1; n <= 60; n++) {
      await appendSurely(log, n);
      if (n % 20 === 0) {
        await server.kill();
        await server.restart();
      }
    }
    const last = await log.lastIndex();
    await tail.until(last);
    await tail.stop();
    expect(tail.records.map(({ index }) => index)).toEqual(range(1, last));
    expect(firstOfEach(tail)).toEqual(range(1, 60));
  });

  test("tail: its consumer is deleted behind its back while nothing is written, goes on with the next record", async () => {
    const { connection, log } = await alone();
    const tail = follow(log, 0);
    await log.append(payload(1));
    await tail.until(1);

    const manager = await jetstreamManager(connection);
    for await (const { name } of manager.consumers.list("STEPPE_eu")) await manager.consumers.delete("STEPPE_eu", name);
    await log.append(payload(2));
    await tail.until(2);
    await tail.stop();
    expect(tail.records.map(numberOf)).toEqual([1, 2]);
  });

  test("tail: the stream is deleted and made again, stops with a gap", async () => {
    const { connection, log } = await alone();
    for (let n = 1; n <= 3; n++) await log.append(payload(n));
    const tail = log.tail(3, () => undefined, new AbortController().signal);
    const end = expect(tail).rejects.toBeInstanceOf(LogGapError);

    const manager = await jetstreamManager(connection);
    const { config } = await manager.streams.info("STEPPE_eu");
    await manager.streams.delete("STEPPE_eu");
    await manager.streams.add(config);
    await end;
    await expect(log.append(payload(4))).rejects.toThrow("the log went back");
  });

  test("tail: a record in the middle is gone, stops with a gap that names it", async () => {
    const { connection, log } = await alone();
    for (let n = 1; n <= 5; n++) await log.append(payload(n));
    const manager = await jetstreamManager(connection);
    await manager.streams.deleteMessage("STEPPE_eu", 3);
    const tail = log.tail(0, () => undefined, new AbortController().signal);
    await expect(tail).rejects.toThrow("records 3 to 3 are missing");
  });

  test("silence: grows while the server is paused, and ends with it", async () => {
    const { server, log } = await alone();
    await server.pause();
    await poll("silence is noticed", 10_000, () => log.silenceMs() > 2000 || `${log.silenceMs()} ms`);
    server.resume();
    await poll("in touch again", 10_000, () => log.silenceMs() === 0 || `${log.silenceMs()} ms`);
  });

  test("last index: the server is paused, is refused in bounded time", async () => {
    const { server, log } = await alone({ ackTimeoutMs: 500 });
    await server.pause();
    await expect(log.lastIndex()).rejects.toThrow("No cluster leader");
    server.resume();
    await poll("answers again", 10_000, async () => (await log.lastIndex()) === 0 || "other");
  });

  test("open: by ten at once, all see one stream", async () => {
    const { connection } = await alone();
    const logs = await Promise.all(
      range(1, 10).map(() => openJetStreamLog({ connection, region: "ap", replicas: 1, logger, clock })),
    );
    for (const log of logs) onTestFinished(() => log.close());
    const indexes = await Promise.all(logs.map((log, i) => log.append(payload(i))));
    expect(indexes.sort((a, b) => a - b)).toEqual(range(1, 10));
  });

  test("open: the base of an existing stream holds, another one is not taken", async () => {
    const { open } = await alone({ base: 500 });
    const again = await open({ base: 7 });
    onTestFinished(() => again.close());
    expect(await again.lastIndex()).toBe(500);
  });

  test("open: another number of replicas than configured, is left and warned of", async () => {
    const { open } = await alone();
    const warned = createQuietLogger();
    const again = await open({ replicas: 3, logger: warned });
    onTestFinished(() => again.close());
    expect(warned.lines.find(({ level }) => level === "warn")?.fields).toMatchObject({ configured: 3, actual: 1 });
  });

  test("open: a stream that is not ours, is refused", async () => {
    const { connection } = await alone();
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "STEPPE_us", subjects: ["steppe.us.log"], description: "orders" });
    await expect(openJetStreamLog({ connection, region: "us", replicas: 1, logger, clock })).rejects.toThrow(
      "stream STEPPE_us is not a log of Steppe",
    );
  });

  test("snapshot: an older one saved late, does not replace the newer", async () => {
    const { log, connection } = await alone();
    await log.saveSnapshot(20, payload(20));
    await log.saveSnapshot(10, payload(10));
    expect((await log.loadSnapshot())?.index).toBe(20);

    for (let index = 21; index <= 24; index++) await log.saveSnapshot(index, payload(index));
    expect(await snapshotBuckets(connection)).toEqual(["OBJ_STEPPE_eu-snapshot-0000000000000024"]);
  });

  test("snapshot: a newer one that was not written to its end, the last whole one is loaded", async () => {
    const { log, connection } = await alone();
    await log.saveSnapshot(10, payload(10));
    await new Objm(connection).create("STEPPE_eu-snapshot-0000000000000020");
    expect((await log.loadSnapshot())?.index).toBe(10);
    await log.saveSnapshot(30, payload(30));
    expect((await log.loadSnapshot())?.index).toBe(30);
    expect(await snapshotBuckets(connection)).toEqual(["OBJ_STEPPE_eu-snapshot-0000000000000030"]);
  });

  test("snapshot: the same index saved by two at once, is one", async () => {
    const { log, connection } = await alone();
    await Promise.all([log.saveSnapshot(10, payload(10)), log.saveSnapshot(10, payload(10))]);
    await log.saveSnapshot(10, payload(10));
    expect(await log.loadSnapshot()).toEqual({ index: 10, data: payload(10) });
    expect((await snapshotBuckets(connection)).length).toBe(1);
  });
});

async function snapshotBuckets(connection: NatsConnection): Promise<string[]> {
  const manager = await jetstreamManager(connection);
  const names: string[] = [];
  for await (const name of manager.streams.names()) if (name.includes("-snapshot-")) names.push(name);
  return names;
}

/** A cluster and an open log on all of it, both ended with the test. */
async function onThree() {
  const cluster = await startNatsCluster(3);
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  const connection = await connectTo(cluster.urls);
  onTestFinished(() => connection.close());
  const log = await openJetStreamLog({ connection, region: "eu", replicas: 3, logger, clock, ackTimeoutMs: 1000 });
  onTestFinished(() => log.close());
  return { cluster, log };
}

/** The server that leads the log's stream. */
async function leaderOf({ servers }: NatsCluster, log: RegionLog): Promise<NatsServer> {
  const leader = (await log.replicas?.())?.find((copy) => copy.leader)?.name;
  return servers.find((_, i) => leader === `steppe-test-${i + 1}`) as NatsServer;
}

async function allCurrent(log: RegionLog): Promise<void> {
  await poll("all copies are current", 60_000, async () => {
    const copies = (await log.replicas?.().catch(() => [])) ?? [];
    const current = copies.filter((copy) => copy.current && !copy.offline);
    return (copies.length === 3 && current.length === 3) || JSON.stringify(copies);
  });
}

describe("JetStream log under faults (3 servers)", () => {
  test("append and tail: one server after another is killed, nothing is missed or doubled", async () => {
    const { cluster, log } = await onThree();

    const tail = follow(log, 0);
    let n = 0;
    for (const server of cluster.servers) {
      for (let i = 0; i < 10; i++) await appendSurely(log, ++n);
      await server.kill();
      for (let i = 0; i < 10; i++) await appendSurely(log, ++n);
      await server.restart();
      // Without this one, the next one's end would leave no majority that has all of it, for as long as it takes to catch up.
      await allCurrent(log);
    }
    const last = await log.lastIndex();
    await tail.until(last);
    await tail.stop();
    expect(tail.records.map(({ index }) => index)).toEqual(range(1, last));
    expect(firstOfEach(tail)).toEqual(range(1, n));
  });

  test("append: the stream's leader hangs, what was sent to it goes to the next one without being asked for", async () => {
    const cluster = await startNatsCluster(3);
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    const opening = await connectTo(cluster.urls);
    const options = { region: "eu", replicas: 3, logger, clock, ackTimeoutMs: 20_000 };
    const opened = await openJetStreamLog({ ...options, connection: opening });
    await opened.append(payload(1));
    const hung = await leaderOf(cluster, opened);
    await opened.close();
    await opening.close();
    const connection = await connectTo(cluster.urls.filter((url) => url !== hung.url));
    onTestFinished(() => connection.close());
    const log = await openJetStreamLog({ ...options, connection });
    onTestFinished(() => log.close());

    await hung.pause();
    onTestFinished(() => hung.resume());
    expect(await log.append(payload(2))).toBeGreaterThan(1);
    expect(log.silenceMs()).toBe(0);
  });

  test("append: two of three are down, no append is acknowledged; all are back, it goes on", async () => {
    const { cluster, log } = await onThree();
    await log.append(payload(1));

    const [, second, third] = cluster.servers as [NatsServer, NatsServer, NatsServer];
    await Promise.all([second.kill(), third.kill()]);
    await expect(log.append(payload(2))).rejects.toBeInstanceOf(AppendError);
    const tail = follow(log, 0);
    await poll("it counts as cut off", 30_000, async () => {
      await log.append(payload(2)).catch(() => undefined);
      return log.silenceMs() > 10_000 || `${log.silenceMs()} ms`;
    });
    await Promise.all([second.restart(), third.restart()]);
    await poll("it is in touch again", 30_000, () => log.silenceMs() === 0 || `${log.silenceMs()} ms`);
    await tail.until(await log.lastIndex());
    await tail.stop();
    await appendSurely(log, 3);
    const numbers = (await readAll(log, 0, await log.lastIndex())).map(numberOf);
    expect(numbers[0]).toBe(1);
    expect(numbers).toContain(3);
  });
});

describe("JetStream log whose copies differ (3 servers)", () => {
  // nats-server before 2.10.22, its pull request 5957.
  test("tail: the killed leader's node keeps what nobody acknowledged, every reader gets what was acknowledged", async () => {
    const { cluster, log } = await onThree();
    const before = follow(log, 0);
    for (let n = 1; n <= 20; n++) await appendSurely(log, n);
    const led = await leaderOf(cluster, log);
    const others = cluster.servers.filter((server) => server !== led);

    await Promise.all(others.map((server) => server.pause()));
    const had = await bytesIn(led.storeDir);
    const alone = await connectTo([led.url]);
    const unacknowledged = range(1001, 1006).map(payload);
    for (const it of unacknowledged) alone.publish(regionNames("eu").logSubject, it);
    const theirs = unacknowledged.reduce((sum, it) => sum + it.length, 0);
    await poll("they are on the leader's disk", 10_000, async () => {
      const grown = (await bytesIn(led.storeDir)) - had;
      return grown >= theirs || `${grown} of ${theirs} bytes`;
    });
    await Promise.all(cluster.servers.map((server) => server.kill()));
    await alone.close();
    await Promise.all(others.map((server) => server.restart()));
    const acknowledged = new Map<number, number>();
    for (let n = 21; n <= 30; n++) acknowledged.set(await appendSurely(log, n), n);
    await led.restart();
    await allCurrent(log);

    const last = await log.lastIndex();
    await before.until(last);
    await before.stop();
    const readers = [before.records];
    // A consumer's node is NATS' choice.
    for (let n = 0; n < 6; n++) readers.push(await readAll(log, 0, last));
    for (const records of readers) {
      for (const [index, n] of acknowledged) expect(numberOf(records[index - 1] as LogRecord)).toBe(n);
    }
  }, 120_000);
});

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const it of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (it.isFile())
      sum += await stat(join(it.parentPath, it.name)).then(
        (found) => found.size,
        () => 0,
      );
  return sum;
}

describe("NATS connection", () => {
  test("nobody listens, rejects in time and names the address", async () => {
    const server = await startNats();
    await server[Symbol.asyncDispose]();
    const from = performance.now();
    const connection = connectNats({ servers: [server.url], name: "test", logger, connectTimeoutMs: 500 });
    await expect(connection).rejects.toThrow(`cannot reach NATS at ${server.url}`);
    expect(performance.now() - from).toBeLessThan(5000);
  });

  test("the password is wrong, rejects at once", async () => {
    const server = await startNats({ args: ["--user", "steppe", "--pass", "right"] });
    onTestFinished(() => server[Symbol.asyncDispose]());
    const wrong = connectNats({ servers: [server.url], user: "steppe", pass: "wrong", name: "test", logger });
    await expect(wrong).rejects.toThrow(/cannot reach NATS at .*Authorization/i);
    const right = await connectNats({ servers: [server.url], user: "steppe", pass: "right", name: "test", logger });
    await right.close();
  });
});
