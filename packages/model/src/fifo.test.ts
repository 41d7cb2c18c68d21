import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo } from "./fifo.ts";

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

describe("Fifo", () => {
  const moves = fc.array(fc.tuple(fc.constantFrom("push", "shift"), fc.integer({ min: 1, max: 3_000 })), {
    maxLength: 12,
  });
  it("any numbers in and out: as a list is", () => {
    fc.assert(
      fc.property(moves, (moves) => {
        const fifo = new Fifo<number>();
        let list: number[] = [];
        let next = 0;
        for (const [move, times] of moves) {
          if (move === "shift") {
            expect(Array.from({ length: times }, () => fifo.shift()).filter((it) => it !== undefined)).toEqual(
              list.slice(0, times),
            );
            list = list.slice(times);
          } else {
            for (let n = 0; n < times; n++) fifo.push(next + n);
            list.push(...Array.from({ length: times }, (_, n) => next + n));
            next += times;
          }
          expect(fifo.length).toBe(list.length);
          expect([fifo.first, fifo.at(1), fifo.at(list.length - 1)]).toEqual([list[0], list[1], list.at(-1)]);
          expect(fifo.from(3)).toEqual(list.slice(3));
        }
      }),
    );
  });

  it("one that left, others are there: nothing holds it any more", async () => {
    const fifo = new Fifo<object>();
    const left = new WeakRef({});
    fifo.push(left.deref() as object);
    for (let n = 0; n < 10; n++) fifo.push({ n });
    fifo.shift();
    await nextTurn();
    collectGarbage();
    expect(left.deref()).toBeUndefined();
    expect(fifo.length).toBe(10);
  });
});
