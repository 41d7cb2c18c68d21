import { toJson } from "@steppe/model";
import type { Allocation } from "@steppe/proto";
import { withoutTokens } from "./job-payload.ts";

export function allocationJson(allocation: Allocation): string {
  const { Job } = allocation;
  return toJson("Allocation", Job === undefined ? allocation : { ...allocation, Job: withoutTokens(Job) });
}
