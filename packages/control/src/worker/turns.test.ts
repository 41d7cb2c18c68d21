import { describe, expect, test } from "vitest";
import { Turns } from "./turns.ts";

/** Takes turns in the order given, each ended by its `end`; `begun` tells which have begun. */
function take(kinds: readonly ("alone" | "beside")[]) {
  const turns = new Turns();
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  for (const [n, kind] of kinds.entries()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    void turns.take(kind === "alone", () => {
      begun.push(n);
      return promise;
    });
  }
  const end = async (n: number) => {
    ends[n]?.();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { begun, end };
}

describe("turns of a worker", () => {
  test("small ones, all beside one another", () => {
    expect(take(["beside", "beside", "beside"]).begun).toEqual([0, 1, 2]);
  });

  test("a large one waits for those under way, and those after it wait for its end", async () => {
    const { begun, end } = take(["beside", "beside", "alone", "beside", "beside"]);
    await end(1);
    expect(begun).toEqual([0, 1]);
    await end(0);
    expect(begun).toEqual([0, 1, 2]);
    await end(2);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test("large ones, one after the other", async () => {
    const { begun, end } = take(["alone", "alone", "alone"]);
    expect(begun).toEqual([0]);
    await end(0);
    await end(1);
    expect(begun).toEqual([0, 1, 2]);
  });

  test("the work fails, its turn is over all the same", async () => {
    const turns = new Turns();
    await expect(turns.take(true, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await turns.take(true, async () => "next")).toBe("next");
  });
});
