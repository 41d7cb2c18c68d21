import fc from "fast-check";
import { expect, test } from "vitest";
import { PortChanges } from "./port-changes.ts";

test("port changes: any sums by place and port, are those of a map", () => {
  const change = fc.tuple(fc.nat(300), fc.nat(40), fc.integer({ min: -2, max: 2 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const sums = new PortChanges();
      const expected = new Map<string, number>();
      for (const [place, port, by] of changes) {
        sums.add(place, port, by);
        expected.set(`${place} ${port}`, (expected.get(`${place} ${port}`) ?? 0) + by);
      }
      for (const [place, port] of changes) expect(sums.get(place, port)).toBe(expected.get(`${place} ${port}`));
      expect(sums.get(301, 1)).toBe(0);
    }),
  );
});
