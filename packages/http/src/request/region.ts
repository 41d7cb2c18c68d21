import { regionsOf } from "@steppe/model";
import type { Job } from "@steppe/proto";
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

/**
 * Where a job that names its regions is sent: the one that is asked for, else the own one if it is among
 * them, else the first that can be reached. That one gives the others their copies.
 */
export function homeOf(needs: HttpNeeds, job: Job, asked: string): string {
  if (asked !== "") return resolveRegion(needs, asked);
  const names = regionsOf(job);
  if (names.includes(needs.region)) return "";
  const alive = needs.regions();
  return names.find((name) => alive.includes(name)) ?? names[0] ?? "";
}
