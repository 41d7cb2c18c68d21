import { type Clock, SteppeError } from "@steppe/model";
import { Event, type EventBatch } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { type EntryEvents, EventRing } from "./event-ring.ts";
import { eventStream } from "./event-stream.ts";
import { topicFilter } from "./topic-filter.ts";

/** An entry that changed so many jobs, named after its index. */
function entry(index: number, size = 1): EntryEvents {
  const events = Array.from({ length: size }, (_, n) =>
    Event.create({ Topic: "Job", Key: `job-${index}-${n}`, Namespace: "default", Index: index }),
  );
  return { index, size, events: () => events };
}

interface WorldOptions {
  readonly from?: number;
  readonly sizeMax?: number;
  /** Indexes of entries that the log can give again. */
  readonly kept?: readonly number[];
  readonly wanted?: (event: Event) => boolean;
}

/** A ring that begins after index 10, and a reader of it. */
function world({ from = 0, sizeMax = 100, kept = [], wanted = () => true }: WorldOptions = {}) {
  const ring = new EventRing(10, sizeMax);
  const timers: (() => void)[] = [];
  const clock: Clock = {
    monotonicMs: () => 0,
    wallNs: () => 0,
    after: (_, signal) =>
      new Promise((resolve, reject) => {
        timers.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  const asked: number[] = [];
  const replay = async (index: number) => {
    asked.push(index);
    if (index < (kept[0] ?? 0)) throw new SteppeError("invalid", `the oldest index it still has is ${kept[0]}`);
    return (async function* () {
      for (const it of kept) yield entry(it);
    })();
  };
  const reader = new AbortController();
  const stream = eventStream({ ring, replay, clock }, { from, wanted, signal: reader.signal });
  const next = async () => (await stream.next()).value as EventBatch | undefined;
  const add = (index: number, size = 1) => ring.add(index, size === 0 ? undefined : entry(index, size));
  return { ring, add, next, stream, timers, asked, reader };
}

const HEARTBEAT = { Index: 0, Events: [] };

describe("event stream", () => {
  test("from nothing, begins with a heartbeat and then what is at hand, each entry once", async () => {
    const { add, next } = world();
    add(11);
    add(12, 0);
    expect(await next()).toEqual(HEARTBEAT);
    expect((await next())?.Index).toBe(11);
    const waiting = next();
    add(13, 2);
    expect(await waiting).toMatchObject({ Index: 13, Events: [{ Key: "job-13-0" }, { Key: "job-13-1" }] });
  });

  test("no event for 30 s, a heartbeat", async () => {
    const { next, timers } = world();
    await next();
    const waiting = next();
    await expect.poll(() => timers.length).toBe(1);
    timers[0]?.();
    expect(await waiting).toEqual(HEARTBEAT);
  });

  test("from an index in the future, waits for it and gives none before", async () => {
    const { add, next } = world({ from: 13 });
    await next();
    for (const index of [11, 12, 13]) add(index);
    expect((await next())?.Index).toBe(13);
  });

  test("from an index that only the log has, goes over to what is at hand without a gap or a repeat", async () => {
    const { add, next, asked } = world({ from: 7, kept: [5, 6, 7, 8, 9, 10, 11, 12] });
    add(11);
    add(12);
    await next();
    const seen = [];
    for (let n = 0; n < 6; n++) seen.push((await next())?.Index);
    expect(seen).toEqual([7, 8, 9, 10, 11, 12]);
    expect(asked).toEqual([7]);
  });

  test("from an index that the log no longer has, is refused before the first word", async () => {
    const { stream } = world({ from: 3, kept: [5, 6] });
    await expect(stream.next()).rejects.toMatchObject({
      code: "invalid",
      message: "the oldest index it still has is 5",
    });
  });

  test("a reader that is too slow, is cut off and told where to go on", async () => {
    const { add, next, stream } = world({ sizeMax: 3 });
    await next();
    add(11);
    expect((await next())?.Index).toBe(11);
    for (let index = 12; index < 20; index++) add(index);
    await expect(stream.next()).rejects.toThrow("Ask again with index=12");
  });

  test("one entry of more than is kept, reaches a reader that keeps up", async () => {
    const { add, next } = world({ sizeMax: 3 });
    await next();
    add(11, 50);
    expect((await next())?.Events).toHaveLength(50);
  });

  test("entries of which nothing is wanted, pass in silence", async () => {
    const wanted = topicFilter([{ Name: "Job", Key: "job-12-0" }], "default");
    const { add, next } = world({ wanted });
    await next();
    add(11);
    add(12);
    expect((await next())?.Index).toBe(12);
  });

  test("the reader gone, ends and leaves nothing behind", async () => {
    const { ring, next, reader } = world();
    await next();
    const waiting = next();
    await expect.poll(() => ring.readers).toBe(1);
    reader.abort();
    expect(await waiting).toBeUndefined();
    expect(ring.readers).toBe(0);
  });
});

describe("topic filter", () => {
  const job = Event.create({ Topic: "Job", Key: "web", Namespace: "default" });
  const allocation = Event.create({ Topic: "Allocation", Key: "a1", Namespace: "prod", FilterKeys: ["web", "d1"] });
  const node = Event.create({ Topic: "Node", Key: "n1" });
  const rows: [topics: [string, string][], namespace: string, keys: string[]][] = [
    [[], "default", ["web", "n1"]],
    [[], "*", ["web", "a1", "n1"]],
    [[["*", "*"]], "prod", ["a1", "n1"]],
    [[["Job", "*"]], "*", ["web"]],
    [[["Allocation", "web"]], "*", ["a1"]],
    [[["Allocation", "other"]], "*", []],
    [[["*", "web"]], "*", ["web", "a1"]],
    [
      [
        ["Job", "web"],
        ["Node", "n1"],
      ],
      "default",
      ["web", "n1"],
    ],
  ];
  test.each(rows)("%j in %s: %j", (topics, namespace, keys) => {
    const wanted = topicFilter(
      topics.map(([Name, Key]) => ({ Name, Key })),
      namespace,
    );
    expect([job, allocation, node].filter(wanted).map(({ Key }) => Key)).toEqual(keys);
  });
});
