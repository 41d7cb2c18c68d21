import type { HttpNeeds } from "../needs.ts";

/**
 * The region that a name given in a request means; empty = own. `global` is an ordinary name where
 * a region is called so, be it alive or not, and means "here" where none is: old clients write it
 * into every job.
 */
export function resolveRegion(needs: HttpNeeds, name: string): string {
  if (name === needs.region) return "";
  if (name !== "global") return name;
  const known = needs.regions().includes("global") || needs.members().some((member) => member.Region === "global");
  return known ? "global" : "";
}

/** The first name that is not empty, resolved. */
export function firstRegion(needs: HttpNeeds, ...names: readonly string[]): string {
  return resolveRegion(needs, names.find((name) => name !== "") ?? "");
}
