import type { Clock } from "@steppe/model";
import { Changes } from "@steppe/state";
import { describe, expect, test } from "vitest";
import { blockingQuery } from "./blocking-query.ts";
import { Watches, type WatchKey } from "./watches.ts";

/** A clock whose only timer the test fires. */
function handClock() {
  const waits: { ms: number; fire: () => void }[] = [];
  const clock: Clock = {
    monotonicMs: () => 0,
    wallNs: () => 0,
    after: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, fire: resolve });
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  return { clock, waits };
}

const KEY: WatchKey = { kind: "job", id: "default/web" };

/** A job that last changed at an index, and a query that waits for it. */
function world(options: { minIndex: number; maxTime?: number; signal?: AbortSignal }) {
  const watches = new Watches();
  const { clock, waits } = handClock();
  const job = { changedAt: 5 };
  const find = () => ({ changedAt: job.changedAt, index: job.changedAt, value: `as of ${job.changedAt}` });
  const answer = blockingQuery(
    find,
    {
      minIndex: options.minIndex,
      maxTime: options.maxTime ?? 0,
      key: KEY,
      call: { signal: options.signal ?? new AbortController().signal },
    },
    watches,
    clock,
    () => 0.5,
  );
  const change = (id: string, index: number) => {
    if (id === KEY.id) job.changedAt = index;
    const changes = new Changes(index);
    changes.jobs.add(id);
    watches.publish(changes);
  };
  return { watches, waits, answer, change };
}

describe("blocking query", () => {
  test("no index or a smaller one, answers at once", async () => {
    expect((await world({ minIndex: 0 }).answer).value).toBe("as of 5");
    expect((await world({ minIndex: 4 }).answer).value).toBe("as of 5");
  });

  test("a change of the key, wakes it; a change of another, does not", async () => {
    const { watches, answer, change } = world({ minIndex: 5 });
    change("default/other", 6);
    expect(watches.waiting).toBe(1);
    change("default/web", 7);
    expect((await answer).value).toBe("as of 7");
    expect(watches.waiting).toBe(0);
  });

  test("time is up, answers what there is", async () => {
    const { waits, answer, watches } = world({ minIndex: 5, maxTime: 16e9 });
    expect(waits[0]?.ms).toBe(16_500);
    waits[0]?.fire();
    expect((await answer).index).toBe(5);
    expect(watches.waiting).toBe(0);
  });

  test.each([
    ["no wait", 0, 300_000],
    ["more than ten minutes", 3600e9, 600_000],
  ])("%s, waits five minutes unless asked and ten at most", (_, maxTime, ms) => {
    expect(world({ minIndex: 5, maxTime }).waits[0]?.ms).toBe(ms * (1 + 0.5 / 16));
  });

  test("the client gone, rejects and leaves nothing behind", async () => {
    const client = new AbortController();
    const { watches, answer } = world({ minIndex: 5, signal: client.signal });
    client.abort(new Error("client went away"));
    await expect(answer).rejects.toThrow("client went away");
    expect(watches.waiting).toBe(0);
  });

  test("a thousand waiting for one key, all wake at one change", async () => {
    const watches = new Watches();
    let changedAt = 5;
    const find = () => ({ changedAt, index: changedAt, value: changedAt });
    const options = { minIndex: 5, maxTime: 0, key: KEY, call: new AbortController() };
    const answers = Array.from({ length: 1000 }, () =>
      blockingQuery(find, options, watches, handClock().clock, () => 0),
    );
    changedAt = 6;
    const changes = new Changes(6);
    changes.jobs.add(KEY.id);
    watches.publish(changes);
    expect(new Set((await Promise.all(answers)).map(({ value }) => value))).toEqual(new Set([6]));
  });
});
