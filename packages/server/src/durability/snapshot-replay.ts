import type { JournalPart, LogRecord, SnapshotFolder } from "@steppe/log";
import { Entry } from "@steppe/proto";
import { apply, encodeSnapshot, State } from "@steppe/state";
import type { CompactionOptions } from "./compaction.ts";
import { decodeSnapshotPieces } from "./decode-pieces.ts";
import { aboutOf } from "./snapshot-about.ts";

/**
 * Puts the state of the last snapshot, moved on by the entries behind it, into the folder, durably. Rejects, and writes
 * nothing, when the replica's state is another one, or the signal aborts.
 */
export async function replay(
  snapshots: SnapshotFolder,
  { region, log, from, index, digest }: Omit<CompactionOptions, "folder" | "urgent">,
  entries: (part: JournalPart) => AsyncIterable<readonly LogRecord[]>,
  signal?: AbortSignal,
): Promise<void> {
  const state = from === undefined ? new State() : await decodeSnapshotPieces(snapshots.records(from));
  for await (const records of entries({ log, from: state.index + 1, to: index })) {
    signal?.throwIfAborted();
    for (const record of records) apply(state, record.index, Entry.decode(record.payload));
  }
  if (state.index !== index || state.digest.value !== digest) {
    throw new Error(
      `the last snapshot and the entries behind it lead to digest ${state.digest.value} at index ${state.index}, ` +
        `this replica has ${digest} at ${index}`,
    );
  }
  await snapshots.save(aboutOf(state, region, log), encodeSnapshot(state));
}
