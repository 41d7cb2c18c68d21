// biome-ignore-all lint/suspicious/noTemplateCurlyInString: targets
import { mockJob, mockNode } from "@steppe/model/internal";
import { type Job, type Node, PreemptionConfig, SchedulerConfiguration } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { World } from "../testing/world.ts";

const RUNS = Number(process.env.STEPPE_PROPERTY_RUNS ?? 300);

interface SpreadShape {
  readonly attribute: "dc" | "rack" | "host";
  readonly weight: number;
  readonly targets: readonly (readonly [value: string, percent: number])[];
}

interface Shape {
  readonly nodes: number;
  readonly count: number;
  readonly cpu: number;
  readonly algorithm: string;
  readonly spreads: readonly SpreadShape[];
  readonly affinities: readonly { readonly value: string; readonly weight: number }[];
}

const spread: fc.Arbitrary<SpreadShape> = fc.record({
  attribute: fc.constantFrom("dc", "rack", "host"),
  weight: fc.constantFrom(20, 50, 100),
  targets: fc.constantFrom(
    [],
    [["a", 50]] as const,
    [
      ["a", 70],
      ["b", 30],
    ] as const,
    [
      ["a", 0],
      ["b", 60],
    ] as const,
    [
      ["*", 20],
      ["b", 80],
    ] as const,
  ),
});

const shape: fc.Arbitrary<Shape> = fc.record({
  nodes: fc.integer({ min: 1, max: 9 }),
  count: fc.integer({ min: 1, max: 14 }),
  cpu: fc.constantFrom(100, 900, 1_500),
  algorithm: fc.constantFrom("binpack", "spread"),
  spreads: fc.uniqueArray(spread, { maxLength: 2, selector: ({ attribute }) => attribute }),
  affinities: fc.array(fc.record({ value: fc.constantFrom("a", "b"), weight: fc.constantFrom(-100, -30, 50, 100) }), {
    maxLength: 2,
  }),
});

/** Some nodes have no rack, one in four is small. */
const nodeOf = (i: number): Node =>
  mockNode(
    {
      Meta: {
        dc: ["a", "b", "c"][i % 3] as string,
        host: `h${i}`,
        ...(i % 4 === 3 ? {} : { rack: "ab"[i % 2] as string }),
      },
      NodeResources: {
        Cpu: { CpuShares: i % 4 === 0 ? 2_000 : 4_000 },
        Memory: { MemoryMB: 8_192 },
        Disk: { DiskMB: 50_000 },
      },
      ReservedResources: undefined,
    },
    i,
  );

function jobOf({ count, cpu, spreads, affinities }: Shape): Job {
  const job = mockJob({
    Spreads: spreads.slice(0, 1).map(spreadOf),
    Affinities: affinities.slice(0, 1).map(affinityOf),
  });
  for (const group of job.TaskGroups) {
    group.Count = count;
    group.Spreads = spreads.slice(1).map(spreadOf);
    group.Affinities = affinities.slice(1).map(affinityOf);
    for (const { Resources } of group.Tasks) Object.assign(Resources ?? {}, { CPU: cpu, MemoryMB: 128 });
  }
  return job;
}

const spreadOf = ({ attribute, weight, targets }: SpreadShape) => ({
  Attribute: `\${meta.${attribute}}`,
  Weight: weight,
  SpreadTarget: targets.map(([Value, Percent]) => ({ Value, Percent })),
});
const affinityOf = ({ value, weight }: Shape["affinities"][number]) => ({
  LTarget: "${meta.rack}",
  Operand: "=",
  RTarget: value,
  Weight: weight,
});

/** The documented formulas, node by node, with nothing kept from one placement to the next but what is placed. */
class Oracle {
  readonly #shape: Shape;
  readonly #nodes: readonly Node[];
  readonly placed: string[] = [];
  /** The worst boost that a target of some block got, by block. */
  readonly #lowest: number[];

  constructor(shape: Shape, nodes: readonly Node[]) {
    this.#shape = shape;
    this.#nodes = nodes;
    this.#lowest = shape.spreads.map(() => -1);
  }

  scores(): Map<string, number> {
    const fitting = this.#nodes.filter((node) => this.#on(node) * this.#shape.cpu + this.#shape.cpu <= cpuOf(node));
    return new Map(fitting.map((node) => [node.ID, this.#score(node)]));
  }

  place(id: string): void {
    this.placed.push(id);
    const node = this.#nodes.find(({ ID }) => ID === id) as Node;
    this.#shape.spreads.forEach((block, b) => {
      this.#lowest[b] = Math.min(this.#lowest[b] as number, this.#boost(node, block, b));
    });
  }

  #score(node: Node): number {
    const { cpu, count, algorithm, affinities, spreads } = this.#shape;
    const on = this.#on(node);
    const power = 10 ** (1 - ((on + 1) * cpu) / cpuOf(node)) + 10 ** (1 - ((on + 1) * 128) / 8_192);
    const raw = algorithm === "spread" ? power - 2 : 20 - power;
    const numbers = [Math.min(Math.max(raw, 0), 18) / 18];
    if (on > 0) numbers.push(-(on + 1) / count);
    if (affinities.length > 0) {
      const total = affinities.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
      const matched = affinities.filter(({ value }) => node.Meta.rack === value);
      numbers.push(matched.reduce((sum, { weight }) => sum + weight, 0) / total);
    }
    const boost = spreads.reduce((sum, block, b) => sum + this.#boost(node, block, b), 0);
    if (boost !== 0) numbers.push(boost);
    return numbers.reduce((sum, it) => sum + it, 0) / numbers.length;
  }

  #boost(node: Node, { attribute, weight, targets }: SpreadShape, b: number): number {
    const value = node.Meta[attribute];
    if (value === undefined) return -1;
    const used = this.#used(attribute);
    const current = used.get(value) ?? 0;
    if (targets.length === 0) return even(current, [...used.values()]);
    const { count, spreads } = this.#shape;
    const share = weight / spreads.reduce((sum, it) => sum + it.weight, 0);
    const left = 100 - targets.reduce((sum, [, percent]) => sum + percent, 0);
    const percent = new Map(targets).get(value) ?? new Map(targets).get("*") ?? (left > 0 ? left : undefined);
    if (percent === undefined) return -1;
    if (percent === 0) return this.#lowest[b] as number;
    const desired = (percent / 100) * count;
    return ((desired - (current + 1)) / desired) * share;
  }

  #used(attribute: string): Map<string, number> {
    const used = new Map<string, number>();
    for (const id of this.placed) {
      const value = this.#nodes.find(({ ID }) => ID === id)?.Meta[attribute];
      if (value !== undefined) used.set(value, (used.get(value) ?? 0) + 1);
    }
    return used;
  }

  #on({ ID }: Node): number {
    return this.placed.filter((id) => id === ID).length;
  }
}

const cpuOf = (node: Node): number => node.NodeResources?.Cpu?.CpuShares ?? 0;

function even(current: number, used: readonly number[]): number {
  if (used.length === 0) return 0;
  const [fewest, most] = [Math.min(...used), Math.max(...used)];
  if (current !== fewest) return (fewest - current) / fewest;
  return fewest === most ? -1 : (most - fewest) / fewest;
}

function configured(world: World, fields: Partial<SchedulerConfiguration>): void {
  const Config = { ...SchedulerConfiguration.create(), PreemptionConfig: PreemptionConfig.create(), ...fields };
  world.run({ $case: "SetSchedulerConfiguration", value: { Config, CheckIndex: false, ModifyIndex: 0 } });
}

describe("ranking", () => {
  it("with any spreads, affinities and algorithm: each placement on a node that scores best, and all that fit are placed", () => {
    fc.assert(
      fc.property(shape, fc.nat(), (given, seed) => {
        const world = new World(seed);
        configured(world, { SchedulerAlgorithm: given.algorithm });
        const nodes = Array.from({ length: given.nodes }, (_, i) => nodeOf(i));
        world.addNodes(...nodes);
        const job = jobOf(given);
        const oracle = new Oracle(given, nodes);
        const [placements] = world.process(world.register(job)).Placements;
        placements?.NameIndexes.forEach((_, row) => {
          const node = placements.NodeIDs[placements.Nodes[row] as number] as string;
          const scores = oracle.scores();
          const best = Math.max(...scores.values());
          expect(scores.get(node)).toBeCloseTo(best, 9);
          expect(placements.Scores[row]).toBeCloseTo(best, 9);
          oracle.place(node);
        });
        if (oracle.placed.length < given.count) expect(oracle.scores().size).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});
