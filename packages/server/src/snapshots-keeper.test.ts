// Of what a snapshot is that somebody asks for, on a region in this process.

import { silentLogger } from "@steppe/model";
import { mockJob } from "@steppe/model/internal";
import { RegisterJob } from "@steppe/proto";
import { createClock } from "@steppe/runtime";
import { expect, onTestFinished, test } from "vitest";
import type { Replica } from "./replica.ts";
import { keepSnapshots } from "./snapshots.ts";
import { openLocalRegion } from "./testing/local-region.ts";

/** Each snapshot is held until the test lets it go; `next` resolves with the next that is made. */
async function world() {
  const region = await openLocalRegion(silentLogger);
  onTestFinished(region.close);
  const { config, log, replica, writer } = region;
  const { state, applier, proposer } = replica;
  interface Made {
    readonly index: number;
    finish(error?: Error): void;
  }
  const waiting: ((made: Made) => void)[] = [];
  const made: Made[] = [];
  const pair = () => {
    while (waiting.length > 0 && made.length > 0) waiting.shift()?.(made.shift() as Made);
  };
  const next = () =>
    new Promise<Made>((resolve) => {
      waiting.push(resolve);
      pair();
    });
  let isAway = false;
  const slow = {
    silenceMs: () => 0,
    saveSnapshot: (index: number) =>
      new Promise<void>((resolve, reject) => {
        made.push({ index, finish: (error) => (error === undefined ? resolve() : reject(error)) });
        pair();
      }),
    truncate: async () => undefined,
  };
  const freshness = {
    lastIndex: async () => (isAway ? Promise.reject(new Error("no quorum")) : await log.lastIndex()),
  };
  const snapshots = keepSnapshots({
    ...{ config, replica: { state, applier, proposer, freshness, log: slow as unknown as Replica["log"] } },
    ...{ local: undefined, clock: createClock(), logger: silentLogger, leads: () => true },
  });
  const call = { signal: new AbortController().signal, timeoutMs: 10_000 };
  const register = async (ID: string) => {
    const value = { ...RegisterJob.create(), Job: mockJob({ ID }) };
    await writer.write(undefined, call, { $case: "RegisterJob", value });
    return state.index;
  };
  const leave = () => {
    isAway = true;
  };
  return { snapshots, register, next, log, state, leave };
}

test("asked for while another is under way, that one ends first, and it holds what was written in between", async () => {
  const { snapshots, register, next } = await world();
  const before = await register("a");
  const first = snapshots.take();
  const early = await next();
  const between = await register("b");
  const second = snapshots.take();
  const third = snapshots.take();
  early.finish();
  const late = await next();
  late.finish();

  expect([early.index, await first]).toEqual([before, before]);
  expect([late.index, await second, await third]).toEqual([between, between, between]);
});

test("asked for while one is under way that fails, is made all the same", async () => {
  const { snapshots, register, next } = await world();
  const index = await register("a");
  const first = snapshots.take();
  const second = snapshots.take();
  (await next()).finish(new Error("disk full"));
  (await next()).finish();
  await expect(first).rejects.toThrow("disk full");
  expect(await second).toBe(index);
});

test("the log holds more than this server, it is waited for; the log is away, it is of what is here", async () => {
  const { snapshots, register, next, log, state, leave } = await world();
  await register("a");
  const { promise: known, resolve } = Promise.withResolvers<number>();
  const asked = log.lastIndex;
  log.lastIndex = () => known;
  const taken = snapshots.take();
  const index = await register("b");
  resolve(index);
  (await next()).finish();
  expect(await taken).toBe(index);

  log.lastIndex = asked;
  leave();
  const away = snapshots.take();
  (await next()).finish();
  expect(await away).toBe(state.index);
});
