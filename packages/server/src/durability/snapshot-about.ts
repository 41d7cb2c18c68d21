import type { LogIdentity, SnapshotAbout } from "@steppe/log";
import type { State } from "@steppe/state";
import { STEPPE_VERSION } from "../version.ts";

export function aboutOf(state: State, region: string, { epoch, id, base }: LogIdentity): SnapshotAbout {
  const { index, time, digest } = state;
  return { index, region, digest: digest.value, time, log: { epoch, id, base }, version: STEPPE_VERSION };
}
