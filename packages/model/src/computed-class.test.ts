import { describe, expect, it } from "vitest";
import { computedClass } from "./computed-class.ts";
import { mockNode } from "./fixtures.ts";

const classOf = (fields: Parameters<typeof mockNode>[0], counter = 0): string =>
  computedClass(mockNode(fields, counter));
const gpu = (ID: string, Type = "gpu"): object => ({
  NodeResources: { Devices: [{ Vendor: "v", Type, Name: "n", Instances: [{ ID }] }] },
});

describe("computedClass", () => {
  it("a node: v1 and a decimal number", () => {
    expect(classOf({})).toMatch(/^v1:\d{1,20}$/);
  });

  it("nodes that differ in unique things only: one class", () => {
    expect(classOf({}, 1)).toBe(classOf({}, 2));
    expect(classOf({ Meta: { a: "b", "unique.x": "1" } })).toBe(classOf({ Meta: { "unique.x": "2", a: "b" } }));
    expect(classOf({ Status: "down" })).toBe(classOf({}));
    expect(classOf(gpu("1"))).toBe(classOf(gpu("2")));
  });

  it.each([
    { Datacenter: "dc2" },
    { NodeClass: "x" },
    { NodePool: "x" },
    { Attributes: {} },
    { Meta: { a: "bc" } },
    { Meta: { ab: "c" } },
    gpu("1"),
    gpu("1", "fpga"),
  ])("%j: a class of its own", (fields) => {
    expect(classOf(fields)).not.toBe(classOf({}));
  });

  it("10,000 nodes that differ in one number: 10,000 classes", () => {
    const classes = Array.from({ length: 10_000 }, (_, i) => classOf({ Meta: { rack: String(i) }, Attributes: {} }));
    expect(new Set(classes).size).toBe(10_000);
  });
});
