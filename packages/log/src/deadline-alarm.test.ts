import { expect, test } from "vitest";
import { DeadlineAlarm } from "./deadline-alarm.ts";
import { SteppedClock } from "./testing/stepped-clock.ts";

function waiters(deadlines: readonly number[]) {
  const clock = new SteppedClock();
  const left = new Set(deadlines);
  const late: [deadline: number, atMs: number][] = [];
  const alarm = new DeadlineAlarm(clock, (nowMs) => {
    for (const deadline of left) if (deadline <= nowMs && left.delete(deadline)) late.push([deadline, nowMs]);
    return Math.min(...left);
  });
  for (const deadline of deadlines) alarm.watch(deadline);
  return { clock, left, late, alarm };
}

test("deadline alarm: deadlines in any order, each is let go in its time", async () => {
  const { clock, late } = waiters([300, 100, 200]);
  await clock.advance(1000);
  expect(late).toEqual([
    [100, 100],
    [200, 200],
    [300, 300],
  ]);
});

test("deadline alarm: the earliest was answered in time, the next one is not missed", async () => {
  const { clock, left, late } = waiters([100, 200]);
  left.delete(100);
  await clock.advance(1000);
  expect(late).toEqual([[200, 200]]);
});

test("deadline alarm: a deadline two months ahead, is looked at again and again and kept", async () => {
  const twoMonths = 60 * 24 * 3_600_000;
  const { clock, late } = waiters([twoMonths]);
  await clock.advance(twoMonths - 1);
  expect(late).toEqual([]);
  await clock.advance(1);
  expect(late).toEqual([[twoMonths, twoMonths]]);
});

test("deadline alarm: stopped, lets nobody go", async () => {
  const { clock, late, alarm } = waiters([100]);
  alarm.stop();
  await clock.advance(1000);
  expect(late).toEqual([]);
});

test("deadline alarm: the clock runs slower than timers, it is looked at a few times and then let go", async () => {
  const timers = new SteppedClock();
  const clock = {
    monotonicMs: () => timers.monotonicMs() * 0.4,
    wallNs: () => timers.wallNs(),
    after: (ms: number, signal?: AbortSignal) => timers.after(ms, signal),
  };
  let looked = 0;
  const alarm = new DeadlineAlarm(clock, (nowMs) => {
    looked += 1;
    return nowMs >= 100 ? Number.POSITIVE_INFINITY : 100;
  });
  alarm.watch(100);
  await timers.advance(252);
  expect(clock.monotonicMs()).toBeGreaterThan(100);
  const whenDue = looked;
  expect(whenDue).toBeLessThan(20);
  await timers.advance(1000);
  expect(looked).toBe(whenDue);
});
