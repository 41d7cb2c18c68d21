import { mockJob, mockNode } from "@steppe/model/internal";
import { describe, expect, it } from "vitest";
import { Scratch } from "../scratch.ts";
import { World } from "../testing/world.ts";
import { AntiAffinity } from "./anti-affinity.ts";
import { binPackScore } from "./bin-pack.ts";
import { NodeHeap, slotColumns } from "./node-heap.ts";

describe("bin-pack score", () => {
  it.each([
    ["a full node", 0, 0, 1],
    ["an empty one", 1, 1, 0],
    ["half of both free: (20 - 2 × √10) / 18", 0.5, 0.5, (20 - 2 * Math.sqrt(10)) / 18],
    ["CPU free, memory full: (20 - 10 - 1) / 18", 1, 0, 0.5],
    ["more free than there is: not below 0", 1.5, 1, 0],
  ])("%s", (_name, freeCpu, freeMemory, expected) => {
    expect(binPackScore(freeCpu, freeMemory)).toBeCloseTo(expected, 12);
  });
});

describe("anti-affinity", () => {
  it("says nothing without collisions, else -(collisions + 1) / count", () => {
    const scorer = new AntiAffinity(2, 10);
    expect(scorer.score(0)).toBeNaN();
    scorer.add(0);
    scorer.add(0);
    expect(scorer.score(0)).toBeCloseTo(-0.3, 12);
    scorer.remove(0);
    expect(scorer.score(0)).toBeCloseTo(-0.2, 12);
  });
});

describe("scores of a plan", () => {
  it("the second on a node: mean of bin-pack and anti-affinity", () => {
    const world = new World();
    world.addNodes(mockNode());
    const job = mockJob();
    for (const group of job.TaskGroups) group.Count = 2;
    const [placements] = world.process(world.register(job)).Placements;
    const packed = (n: number) => binPackScore(1 - (n * 500) / 3900, 1 - (n * 256) / 7936);
    expect(placements?.Scores[0]).toBeCloseTo(packed(1), 12);
    expect(placements?.Scores[1]).toBeCloseTo((packed(2) - 2 / 2) / 2, 12);
  });
});

describe("node heap", () => {
  it("gives slots by score, and equal ones in an order that the seed chooses", () => {
    const order = (seed: number) => {
      const heap = new NodeHeap(50, seed, slotColumns(50, new Scratch()));
      for (let slot = 0; slot < 50; slot++) heap.append(slot, slot % 5);
      heap.order();
      heap.set(7, 10);
      heap.remove(8);
      const slots: number[] = [];
      while (heap.size > 0) {
        slots.push(heap.best);
        heap.remove(heap.best);
      }
      return slots;
    };
    const slots = order(1);
    expect(slots[0]).toBe(7);
    expect(slots.slice(1).map((slot) => slot % 5)).toEqual(
      [4, 3, 2, 1, 0].flatMap((it) => Array(it === 2 || it === 3 ? 9 : 10).fill(it)),
    );
    expect(order(1)).toEqual(slots);
    expect(order(2)).not.toEqual(slots);
  });
});
