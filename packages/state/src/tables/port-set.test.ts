import fc from "fast-check";
import { expect, test } from "vitest";
import { PortSet } from "./port-set.ts";

test("port set: any history of ports taken and given back, is as if counted one by one", () => {
  const port = fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.constantFrom(0, 31, 32, 2047, 2048, 65_535));
  const steps = fc.array(fc.tuple(port, fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(steps, ([...history]) => {
      const set = new PortSet();
      const counts = new Map<number, number>();
      for (const [port, added] of history) {
        const before = counts.get(port) ?? 0;
        counts.set(port, added ? before + 1 : Math.max(0, before - 1));
        if (added) set.add(port);
        else set.remove(port);
      }
      const held = [...counts].filter(([, count]) => count > 0).map(([port]) => port);
      for (const [port, count] of counts) expect([set.has(port), set.count(port)]).toEqual([count > 0, count]);
      expect(set.size).toBe(held.length);
      expect(set.countWithin(32, 2_048)).toBe(held.filter((it) => it >= 32 && it <= 2_048).length);
    }),
  );
});
