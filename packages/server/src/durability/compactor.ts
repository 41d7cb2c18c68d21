import { readJournal, recordsIn, type SnapshotFolder } from "@steppe/log";
import type { Files } from "@steppe/model";
import { workApart } from "./apart.ts";
import type { CompactionOptions, ProcessOptions } from "./compaction.ts";
import type { EntrySource } from "./entry-source.ts";
import { replay } from "./snapshot-replay.ts";

export interface Compaction extends CompactionOptions {
  readonly source: EntrySource;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/**
 * Makes a snapshot out of the last one and the entries behind it; it is in the folder, durably, when this
 * resolves. Rejects, and leaves the folder as it was, when it cannot be written or would hold another state
 * than the replica's.
 */
export type Compact = (compaction: Compaction) => Promise<void>;

/** In a process of its own. */
export const compact: Compact = ({ source, signal, ...options }) =>
  workApart<ProcessOptions>({
    file: "compaction-process",
    options: { ...options, journal: source.kind === "journal" ? source.folder : undefined },
    input: source.kind === "pieces" ? source.pieces((options.from ?? 0) + 1, options.index) : undefined,
    signal,
  });

/** In this process, which waits for it: where there is only one, as in the simulator. */
export function compactHere(files: Files, snapshots: SnapshotFolder): Compact {
  return ({ source, signal, ...options }) =>
    replay(
      snapshots,
      options,
      (part) =>
        source.kind === "journal"
          ? readJournal(files, source.folder, part)
          : recordsIn(source.pieces(part.from, part.to), part.from),
      signal,
    );
}
