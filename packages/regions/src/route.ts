// Where a request is to be answered. Pure.
import { SteppeError } from "@steppe/model";
import type { RegionServer } from "./directory.ts";

export interface RegionView {
  knows(region: string): boolean;
  /** Live ones first, then suspects. */
  servers(region: string): readonly RegionServer[];
}

export type Route =
  | { readonly kind: "local" }
  | { readonly kind: "forward"; readonly region: string; readonly servers: readonly RegionServer[] }
  | { readonly kind: "refuse"; readonly error: SteppeError };

/** The default region of jobs and tools that were never told one. */
const GLOBAL = "global";

/** `forwarded`: another region's server sent it here, so it goes no further. */
export function routeRequest(
  request: { readonly region: string; readonly forwarded: boolean },
  self: { readonly region: string },
  directory: RegionView,
): Route {
  const { region } = request;
  if (region === "" || region === self.region) return { kind: "local" };
  if (region === GLOBAL && !directory.knows(GLOBAL)) return { kind: "local" };
  if (request.forwarded) return { kind: "refuse", error: noPathToRegion() };
  const servers = directory.servers(region);
  if (!servers.some((server) => server.alive)) return { kind: "refuse", error: noPathToRegion() };
  return { kind: "forward", region, servers };
}

export function noPathToRegion(cause?: unknown): SteppeError {
  return new SteppeError("no-path-to-region", "No path to region", cause === undefined ? undefined : { cause });
}
