import { expect, test } from "vitest";
import { BatchSize } from "./batch-size.ts";

test("batch size: races are lost, halves down to one, then grows by one up to the most", () => {
  const batch = new BatchSize(8);
  const sizes = [true, true, true, true, false, false].map((lost) => {
    batch.ended(lost);
    return batch.size;
  });
  expect(sizes).toEqual([4, 2, 1, 1, 2, 3]);
  for (let i = 0; i < 10; i++) batch.ended(false);
  expect(batch.size).toBe(8);
});
