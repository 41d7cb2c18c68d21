// Reads while an entry is applied and not on this server's disk yet.
import { createFreshness } from "@steppe/log";
import { QueryOptions } from "@steppe/proto";
import { State } from "@steppe/state";
import { Watches } from "@steppe/watch";
import { expect, test } from "vitest";
import { createReader, type ReadReplica } from "./read.ts";

const call = { signal: new AbortController().signal, timeoutMs: 5000 };
const KEY = { kind: "job", id: "default/web" } as const;

/** A replica that applied entry 7 and kept 6. */
function world() {
  const timers: { readonly ms: number; readonly fire: () => void }[] = [];
  const keep = Promise.withResolvers<void>();
  let keptIndex = 6;
  const applier = {
    get keptIndex() {
      return keptIndex;
    },
    waitFor: (index: number, signal?: AbortSignal) =>
      index <= keptIndex
        ? Promise.resolve()
        : new Promise<void>((resolve, reject) => {
            keep.promise.then(resolve);
            signal?.addEventListener("abort", () => reject(signal.reason));
          }),
  };
  const log = { lastIndexHere: undefined, lastIndex: async () => 6, silenceMs: () => 0 };
  const proposer = { barrier: async () => 6 };
  const freshness = createFreshness(log);
  const replica: ReadReplica = { view: new State(), watches: new Watches(), log, proposer, freshness, applier };
  const clock = {
    monotonicMs: () => 0,
    wallNs: () => 0,
    after: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        timers.push({ ms, fire: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  const reader = createReader(replica, clock, () => 0);
  let answered: number | undefined;
  const read = (index: number, AllowStale: boolean) => {
    const found = () => ({ changedAt: index, index, value: `as of ${index}` });
    return reader.read(QueryOptions.create({ AllowStale }), call, KEY, found).then(({ meta }) => {
      answered = meta.Index;
    });
  };
  return {
    ...{ timers, read },
    answered: () => answered,
    kept: () => {
      keptIndex = 7;
      keep.resolve();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test.each([true, false])(
  "read (stale: %s): what it shows is being written, is answered once it is kept",
  async (stale) => {
    const { read, answered, kept } = world();
    const done = read(7, stale);
    await turn();
    expect(answered()).toBeUndefined();
    kept();
    await done;
    expect(answered()).toBe(7);
  },
);

test("read: what it shows is kept, is not held up by what is being written", async () => {
  const { read, answered } = world();
  await read(5, true);
  expect(answered()).toBe(5);
});

test("stale read: the disk takes nothing, is answered after a moment all the same", async () => {
  const { read, answered, timers } = world();
  const done = read(7, true);
  await turn();
  timers.find(({ ms }) => ms === 50)?.fire();
  await done;
  expect(answered()).toBe(7);
});

test("read: the disk takes nothing, is refused when its time is up", async () => {
  const { read, timers } = world();
  const done = expect(read(7, false)).rejects.toMatchObject({ code: "no-quorum" });
  await turn();
  timers
    .filter(({ ms }) => ms === 5000)
    .at(-1)
    ?.fire();
  await done;
});
