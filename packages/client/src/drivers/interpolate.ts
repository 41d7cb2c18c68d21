// `${…}` in a task's environment and configuration. Pure. What is not known stays as written.
import type { Node } from "@steppe/proto";

const REFERENCE = /\$\{([a-zA-Z0-9_\-.]+)\}/g;

export type Variables = Readonly<Record<string, string>>;

/** `node.*`, `attr.*` and `meta.*` of a node. */
export function nodeVariables(node: Node, region: string): Variables {
  const result: Record<string, string> = {
    "node.unique.id": node.ID,
    "node.unique.name": node.Name,
    "node.datacenter": node.Datacenter,
    "node.region": region,
    "node.class": node.NodeClass,
    "node.pool": node.NodePool,
  };
  for (const [key, value] of Object.entries(node.Attributes)) result[`attr.${key}`] = value;
  for (const [key, value] of Object.entries(node.Meta)) result[`meta.${key}`] = value;
  return result;
}

export function interpolate(text: string, variables: Variables): string {
  if (!text.includes("${")) return text;
  return text.replace(REFERENCE, (whole, name: string) => lookUp(name, variables) ?? whole);
}

function lookUp(name: string, variables: Variables): string | undefined {
  if (Object.hasOwn(variables, name)) return variables[name];
  const bare = name.startsWith("env.") ? name.slice("env.".length) : undefined;
  return bare !== undefined && Object.hasOwn(variables, bare) ? variables[bare] : undefined;
}

/** Every string within a configuration value; keys stay. */
export function interpolateValue(value: unknown, variables: Variables): unknown {
  if (typeof value === "string") return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((item) => interpolateValue(item, variables));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolateValue(item, variables)]));
  }
  return value;
}
