import { LogGapError, readInPieces, readSnapshotFile, SnapshotFileError } from "@steppe/log";
import { SteppeError } from "@steppe/model";
import type { State } from "@steppe/state";
import type { LocalDisk, RegionEnds } from "../open-region.ts";
import type { SnapshotKeeper } from "../snapshots.ts";
import { decodeSnapshotPieces } from "./decode-pieces.ts";

/** Snapshots in an operator's hands, as files. */
export interface SnapshotDoor {
  /** The state as it is now, as a file in pieces. */
  save(): AsyncIterable<Uint8Array>;
  /**
   * Replaces the region's whole state by a file's, under an index larger than any before. Resolves with
   * it; the servers and workers of the region then start again on it. Throws `invalid` and changes
   * nothing when the file is damaged or another region's.
   */
  restore(file: AsyncIterable<Uint8Array>): Promise<number>;
}

export interface DoorNeeds {
  readonly region: string;
  readonly snapshots: SnapshotKeeper;
  readonly local: LocalDisk | undefined;
  readonly replace: RegionEnds["replace"];
  /** This server has to start again. */
  onReplaced(error: Error): void;
}

export function createSnapshotDoor({ region, snapshots, local, replace, onReplaced }: DoorNeeds): SnapshotDoor {
  return {
    async *save() {
      if (local === undefined) throw new SteppeError("refused", "this server keeps no snapshots");
      const index = await snapshots.take();
      const release = local.snapshots.pin(index);
      try {
        yield* readInPieces(local.files, local.snapshots.pathOf(index));
      } finally {
        release();
      }
    },

    async restore(file) {
      if (replace === undefined) throw new SteppeError("refused", "the log of this server cannot be replaced");
      const index = await replace(await decode(file, region));
      onReplaced(new LogGapError("the region's state was restored from a snapshot"));
      return index;
    },
  };
}

async function decode(file: AsyncIterable<Uint8Array>, region: string): Promise<State> {
  try {
    const { about, records } = await readSnapshotFile(file);
    if (about.region !== region) {
      throw new SteppeError("invalid", `the snapshot is of region ${about.region}, this one is ${region}`);
    }
    return await decodeSnapshotPieces(records);
  } catch (cause) {
    if (cause instanceof SnapshotFileError) throw new SteppeError("invalid", cause.message, { cause });
    throw cause;
  }
}
