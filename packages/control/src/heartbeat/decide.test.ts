import { describe, expect, test } from "vitest";
import { HeartbeatTimers, patienceMs, ttlFor } from "./decide.ts";

test.each([
  ["few nodes", 10, 0, 10_000],
  ["few nodes, spread", 10, 0.5, 15_000],
  ["5,000 nodes", 5_000, 0, 100_000],
])("heartbeat TTL: %s", (_, nodes, fraction, expected) => {
  expect(ttlFor(nodes, fraction)).toBe(expected);
});

test("heartbeat patience: whatever a node was told, is longer by the grace", () => {
  expect(patienceMs(10)).toBe(ttlFor(10, 1) + 10_000);
});

describe("heartbeat timers", () => {
  test("several nodes, come due in order, once each", () => {
    const timers = new HeartbeatTimers();
    for (const [id, at] of [
      ["c", 30],
      ["a", 10],
      ["b", 20],
    ] as const)
      timers.set(id, at);
    expect(timers.nextDueMs()).toBe(10);
    expect(timers.takeDue(9)).toEqual([]);
    expect(timers.takeDue(20)).toEqual(["a", "b"]);
    expect(timers.takeDue(20)).toEqual([]);
    expect([timers.size, timers.nextDueMs()]).toEqual([1, 30]);
  });

  test("heard of again, is due later; heard of after a failover, is due sooner", () => {
    const timers = new HeartbeatTimers();
    timers.set("later", 10);
    timers.set("later", 40);
    timers.set("sooner", 300);
    timers.set("sooner", 20);
    timers.set("sooner", 30);
    expect(timers.takeDue(29)).toEqual([]);
    expect(timers.takeDue(30)).toEqual(["sooner"]);
    expect(timers.takeDue(1_000)).toEqual(["later"]);
  });

  test("the region grew since it was heard of, has the patience of today", () => {
    const timers = new HeartbeatTimers();
    timers.set("a", 50, 10);
    expect(timers.takeDue(60, 200)).toEqual([]);
    expect(timers.nextDueMs()).toBe(210);
    expect(timers.takeDue(210, 200)).toEqual(["a"]);
  });

  test("removed, never comes due", () => {
    const timers = new HeartbeatTimers();
    timers.set("a", 10);
    timers.delete("a");
    expect(timers.takeDue(100)).toEqual([]);
    expect(timers.nextDueMs()).toBe(Number.POSITIVE_INFINITY);
  });
});
