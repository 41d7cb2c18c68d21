import { expect, test } from "vitest";
import { Alarm } from "./alarm.ts";
import { createStepClock, settle } from "./testing/step-clock.ts";

/** Whether the wait is over, after everything ready has run. */
async function isOver(wait: Promise<void>): Promise<boolean> {
  let over = false;
  void wait.then(() => {
    over = true;
  });
  await settle();
  return over;
}

test("alarm: nothing happens, wakes when the time is up", async () => {
  const clock = createStepClock();
  const wait = new Alarm().wait(clock, 100, new AbortController().signal);
  await clock.advance(99);
  expect(await isOver(wait)).toBe(false);
  await clock.advance(1);
  expect(await isOver(wait)).toBe(true);
});

test("alarm: rung before and during a wait, wakes at once and once each", async () => {
  const clock = createStepClock();
  const alarm = new Alarm();
  const { signal } = new AbortController();
  alarm.ring();
  expect(await isOver(alarm.wait(clock, 100, signal))).toBe(true);
  const wait = alarm.wait(clock, 100, signal);
  expect(await isOver(wait)).toBe(false);
  alarm.ring();
  expect(await isOver(wait)).toBe(true);
});

test("alarm: the duty ends, wakes at once", async () => {
  const duty = new AbortController();
  const wait = new Alarm().wait(createStepClock(), 100, duty.signal);
  duty.abort();
  expect(await isOver(wait)).toBe(true);
});

test("alarm: no time or one far off, looks again within a minute and never spins", async () => {
  const clock = createStepClock();
  const { signal } = new AbortController();
  expect(await isOver(new Alarm().wait(clock, -5, signal))).toBe(false);
  const wait = new Alarm().wait(clock, Number.POSITIVE_INFINITY, signal);
  await clock.advance(60_000);
  expect(await isOver(wait)).toBe(true);
});
