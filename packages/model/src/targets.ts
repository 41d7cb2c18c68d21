// biome-ignore-all lint/suspicious/noTemplateCurlyInString: how the API writes a reference
import type { Node } from "@steppe/proto";

/** The part of a node that constraints, affinities and spreads look at. */
export type NodeTargets = Pick<Node, "ID" | "Datacenter" | "Name" | "NodeClass" | "NodePool" | "Attributes" | "Meta">;

const NODE_FIELDS: Readonly<Record<string, (node: NodeTargets) => string>> = {
  "${node.unique.id}": (node) => node.ID,
  "${node.datacenter}": (node) => node.Datacenter,
  "${node.unique.name}": (node) => node.Name,
  "${node.class}": (node) => node.NodeClass,
  "${node.pool}": (node) => node.NodePool,
};

/**
 * What a target of a constraint means on a node. Anything that does not start with `${` is a
 * literal; undefined when the node has no such attribute, or no node could have.
 */
export function resolveTarget(target: string, node: NodeTargets): string | undefined {
  if (!target.startsWith("${")) return target;
  if (Object.hasOwn(NODE_FIELDS, target)) return NODE_FIELDS[target]?.(node);
  if (target.startsWith("${attr.")) return own(node.Attributes, keyOf(target, "${attr."));
  if (target.startsWith("${meta.")) return own(node.Meta, keyOf(target, "${meta."));
  return undefined;
}

/** May stand in a constraint at all. */
export function isKnownTarget(target: string): boolean {
  if (!target.startsWith("${")) return true;
  return Object.hasOwn(NODE_FIELDS, target) || /^\$\{(attr|meta|device)\./.test(target);
}

/** Looks at something that differs between nodes of one computed class, so the class proves nothing. */
export function isUniqueTarget(target: string): boolean {
  return /^\$\{(unique|node\.unique|attr\.unique|meta\.unique)\./.test(target);
}

function keyOf(target: string, prefix: string): string {
  return target.slice(prefix.length, target.endsWith("}") ? -1 : undefined);
}

function own(values: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
