import { DEPLOYMENT_DESCRIPTIONS } from "@steppe/model";

/**
 * How far another region is with the same rollout:
 * - `away`: it cannot be reached, or has not got its copy, for so long that nobody waits for it
 * - `waiting`, `running`: before and in its own deployment
 * - `done`: that is complete, or it needed none, or something newer took over there
 * - `over`: the same, and all regions of the rollout may end
 * - `failed`
 */
export type Part = "away" | "waiting" | "running" | "done" | "over" | "failed";

export type RolloutStep =
  | { readonly kind: "move"; readonly status: "running" | "unblocking" | "successful"; readonly description: string }
  | { readonly kind: "fail"; readonly description: string }
  | { readonly kind: "wait" };

export interface RolloutView {
  /** Of this region's deployment. */
  readonly status: string;
  /** Regions at a time; 0 = all. */
  readonly maxParallel: number;
  /** "", "fail_all" or "fail_local". */
  readonly onFailure: string;
  /** Regions that the job names before this one, and after it. */
  readonly before: readonly Part[];
  readonly after: readonly Part[];
}

const WAIT: RolloutStep = { kind: "wait" };
const FAIL: RolloutStep = { kind: "fail", description: DEPLOYMENT_DESCRIPTIONS.failedByPeer };

/** What this region's deployment does next. Each region decides for itself, from what all others tell. */
export function decideRollout({ status, maxParallel, onFailure, before, after }: RolloutView): RolloutStep {
  const others = [...before, ...after];
  if (others.includes("failed")) {
    if (onFailure === "fail_all") return FAIL;
    if (onFailure === "" && status === "pending") return FAIL;
    // What is complete stays so until a user lets it go: the regions no longer agree.
    if (status === "blocked") return WAIT;
  }
  switch (status) {
    case "pending": {
      const ahead = before.filter((it) => it === "waiting" || it === "running").length;
      const besides = after.filter((it) => it === "running").length;
      if (maxParallel > 0 && ahead + besides >= maxParallel) return WAIT;
      return { kind: "move", status: "running", description: DEPLOYMENT_DESCRIPTIONS.running };
    }
    case "blocked":
      if (others.some((it) => it === "waiting" || it === "running")) return WAIT;
      return { kind: "move", status: "unblocking", description: DEPLOYMENT_DESCRIPTIONS.unblocking };
    case "unblocking":
      // From here on only an outcome that all know of may come.
      if (others.some((it) => it === "waiting" || it === "running" || it === "done")) return WAIT;
      return { kind: "move", status: "successful", description: DEPLOYMENT_DESCRIPTIONS.successful };
    default:
      return WAIT;
  }
}

/** What the status that a region tells of a rollout makes of it for the others. */
export function partOf(status: string): Part {
  switch (status) {
    case "initializing":
    case "pending":
    case "paused":
      return "waiting";
    case "running":
      return "running";
    case "blocked":
      return "done";
    case "failed":
      return "failed";
    default:
      return "over";
  }
}
