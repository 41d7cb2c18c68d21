import { type BlockSchema, type Json, named } from "../schema.ts";

/** Operators that are written as an option of their own: `regexp = "…"`. */
const SUGAR = ["version", "semver", "regexp", "set_contains", "set_contains_any", "set_contains_all"] as const;

const sugar = Object.fromEntries(SUGAR.map((name) => [name, [name, "string"] as const]));

function withOperator({ distinct_hosts, distinct_property, ...fields }: Json): Json {
  const result = { ...fields };
  for (const name of SUGAR) {
    if (result[name] === undefined) continue;
    Object.assign(result, { Operand: name, RTarget: result[name] });
    delete result[name];
  }
  if (distinct_property !== undefined) return { ...result, Operand: "distinct_property", LTarget: distinct_property };
  if (distinct_hosts !== undefined) {
    return { ...result, Operand: "distinct_hosts", ...(distinct_hosts === false && { RTarget: "false" }) };
  }
  return result;
}

export const constraint = (): BlockSchema => ({
  attributes: {
    ...{ attribute: ["LTarget", "string"], operator: ["Operand", "string"], value: ["RTarget", "string"] },
    ...sugar,
    ...{ distinct_hosts: ["distinct_hosts", "bool"], distinct_property: ["distinct_property", "string"] },
  },
  finish: withOperator,
});

export const affinity = (): BlockSchema => ({
  attributes: {
    ...{ attribute: ["LTarget", "string"], operator: ["Operand", "string"], value: ["RTarget", "string"] },
    ...{ ...sugar, weight: ["Weight", "int"] },
  },
  finish: withOperator,
});

export const spread = (): BlockSchema => ({
  attributes: { attribute: ["Attribute", "string"], weight: ["Weight", "int"] },
  blocks: { target: named("SpreadTarget", spreadTarget, "Value") },
});

const spreadTarget = (): BlockSchema => ({ attributes: { percent: ["Percent", "int"], value: ["Value", "string"] } });
