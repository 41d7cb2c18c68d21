// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
import { describe, expect, it } from "vitest";
import { mockNode } from "./fixtures.ts";
import { isKnownTarget, isUniqueTarget, resolveTarget } from "./targets.ts";

const node = mockNode({ Meta: { rack: "r1" } }, 7);

describe("targets", () => {
  it.each([
    ["literal", "literal"],
    ["", ""],
    ["${node.unique.id}", node.ID],
    ["${node.unique.name}", "node-7"],
    ["${node.datacenter}", "dc1"],
    ["${node.class}", "linux-medium-pci"],
    ["${node.pool}", "default"],
    ["${attr.kernel.name}", "linux"],
    ["${meta.rack}", "r1"],
    ["${meta.missing}", undefined],
    ["${attr.toString}", undefined],
    ["${toString}", undefined],
    ["${env.X}", undefined],
  ])("%s: %s", (target, expected) => {
    expect(resolveTarget(target, node)).toBe(expected);
  });

  it("targets that a constraint may name", () => {
    expect(["x", "${node.class}", "${attr.a}", "${device.model}"].every(isKnownTarget)).toBe(true);
    expect(["${node.rack}", "${env.X}", "${toString}"].some(isKnownTarget)).toBe(false);
  });

  it("targets that a computed class says nothing of", () => {
    expect(
      ["${node.unique.id}", "${attr.unique.hostname}", "${meta.unique.a}", "${unique.a}"].every(isUniqueTarget),
    ).toBe(true);
    expect(["${node.class}", "${attr.a.unique.b}", "unique.a"].some(isUniqueTarget)).toBe(false);
  });
});
