import fc from "fast-check";
import { expect, test } from "vitest";
import { NameCounts } from "./name-counts.ts";

const indexes = fc.oneof(fc.nat(70), fc.nat(70), fc.constantFrom(2 ** 24 - 1, 2 ** 24, 2 ** 32 - 1));

test("holders of names, added and removed at random, are those of a plain map", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), indexes), { maxLength: 200 }), (changes) => {
      const counts = new NameCounts();
      const model = new Map<number, number>();
      for (const [isAdded, index] of changes) {
        const before = model.get(index) ?? 0;
        if (isAdded) counts.add(index);
        else counts.remove(index);
        model.set(index, Math.max(0, before + (isAdded ? 1 : -1)));
        for (const [each, holders] of model) expect(counts.get(each)).toBe(holders);
      }
    }),
    // A list of 2 ** 24 names each time.
    { numRuns: 50 },
  );
});
