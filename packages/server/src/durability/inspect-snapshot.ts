import { readInPieces, readSnapshotFile, type SnapshotAbout } from "@steppe/log";
import { createFiles } from "@steppe/runtime";
import { decodeSnapshotPieces } from "./decode-pieces.ts";

export interface InspectedSnapshot {
  readonly about: SnapshotAbout;
  readonly bytes: number;
  /** How many there are of each kind. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Reads a snapshot file to its end. Rejects when it is damaged. */
export async function inspectSnapshot(path: string): Promise<InspectedSnapshot> {
  const files = createFiles();
  const { about, records } = await readSnapshotFile(readInPieces(files, path));
  const { jobs, nodes, allocations, evaluations, deployments, outcomes } = await decodeSnapshotPieces(records);
  return {
    about,
    bytes: (await files.size(path)) ?? 0,
    counts: {
      jobs: jobs.byKey.size,
      nodes: nodes.size,
      allocations: allocations.byId.size,
      evaluations: evaluations.byId.size,
      deployments: deployments.byId.size,
      "remembered requests": outcomes.size,
    },
  };
}
