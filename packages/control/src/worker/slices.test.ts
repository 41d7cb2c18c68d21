import { describe, expect, test } from "vitest";
import { createStepClock, settle } from "../testing/step-clock.ts";
import { Slices } from "./slices.ts";

/** `begun` counts what was let in; each takes so many milliseconds. `turn` is one of the event loop. `clientsWait` may be set. */
function world(clientsWait = false, eachMs = 1) {
  const clock = createStepClock();
  const turns: (() => void)[] = [];
  let spentMs = 0;
  const slices = new Slices(
    {
      monotonicMs: () => clock.monotonicMs() + spentMs,
      wallNs: () => clock.wallNs(),
      after: (ms, signal) => clock.after(ms, signal),
      afterTurn: (work) => void turns.push(work),
    },
    () => it.clientsWait,
  );
  const it = { clock, clientsWait, begun: 0, ask, turn };
  async function ask(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      void slices.enter().then(() => {
        it.begun += 1;
        spentMs += eachMs;
      });
      await settle();
    }
  }
  async function turn(): Promise<void> {
    for (const work of turns.splice(0)) work();
    await settle();
  }
  return it;
}

describe("slices of scheduling", () => {
  test("more than fits into one, the rest goes on after a turn of the event loop", async () => {
    const it = world();
    await it.ask(6);
    await it.turn();
    expect(it.begun).toBe(4);
    await it.turn();
    expect(it.begun).toBe(6);
  });

  test("asked for, nothing begins in the same turn: who wrote it is answered first", async () => {
    const it = world();
    await it.ask(1);
    expect(it.begun).toBe(0);
    await it.turn();
    expect(it.begun).toBe(1);
  });

  test("clients wait, a slice is short and six times its length passes before the next", async () => {
    const it = world(true, 0.5);
    await it.ask(3);
    await it.turn();
    expect(it.begun).toBe(2);
    await it.turn();
    await it.clock.advance(5);
    expect(it.begun).toBe(2);
    await it.clock.advance(1);
    expect(it.begun).toBe(3);
  });

  test("clients wait and a slice was not used up, nothing comes in the pause behind it", async () => {
    const it = world(true, 0.5);
    await it.ask(1);
    await it.turn();
    await it.turn();
    await it.ask(1);
    await it.turn();
    expect(it.begun).toBe(1);
    await it.clock.advance(3);
    expect(it.begun).toBe(2);
  });

  test("nobody waits any more, at two looks in a row, the pause is over", async () => {
    const it = world(true, 0.5);
    await it.ask(3);
    await it.turn();
    await it.turn();
    it.clientsWait = false;
    await it.clock.advance(1);
    it.clientsWait = true;
    await it.clock.advance(1);
    it.clientsWait = false;
    await it.clock.advance(1);
    expect(it.begun).toBe(2);
    await it.clock.advance(1);
    expect(it.begun).toBe(3);
  });

  test("all done, the next one begins after a turn again", async () => {
    const it = world();
    await it.ask(1);
    await it.turn();
    await it.turn();
    await it.ask(1);
    await it.turn();
    expect(it.begun).toBe(2);
  });
});
