import type { LogIdentity, LogRecord, SnapshotFolder } from "@steppe/log";
import { Entry } from "@steppe/proto";
import { apply, encodeSnapshot, State } from "@steppe/state";
import { decodeSnapshotPieces } from "./decode-pieces.ts";
import { aboutOf } from "./snapshot-about.ts";

export interface ReplayOptions {
  readonly region: string;
  readonly log: LogIdentity;
  /** Index of the snapshot in the folder to begin with; undefined: begin with nothing. */
  readonly from: number | undefined;
}

/** Resolves with what is to become the next snapshot of the folder. */
export async function loadReplay(snapshots: SnapshotFolder, options: ReplayOptions): Promise<SnapshotReplay> {
  const { from } = options;
  const state = from === undefined ? new State() : await decodeSnapshotPieces(snapshots.records(from));
  return new SnapshotReplay(snapshots, options, state);
}

/** The state of the last snapshot, moved on by the entries behind it. */
export class SnapshotReplay {
  readonly #snapshots: SnapshotFolder;
  readonly #options: ReplayOptions;
  readonly #state: State;

  constructor(snapshots: SnapshotFolder, options: ReplayOptions, state: State) {
    this.#snapshots = snapshots;
    this.#options = options;
    this.#state = state;
  }

  /** Of the last entry taken. */
  get index(): number {
    return this.#state.index;
  }

  /** Entries that follow the last one. */
  take(records: readonly LogRecord[]): void {
    for (const { index, payload } of records) apply(this.#state, index, Entry.decode(payload));
  }

  /** Puts it into the folder, durably. Rejects, and writes nothing, when the replica's state is another one. */
  async write(index: number, digest: number): Promise<void> {
    const state = this.#state;
    if (state.index !== index || state.digest.value !== digest) {
      throw new Error(
        `the last snapshot and the entries behind it lead to digest ${state.digest.value} at index ${state.index}, ` +
          `this replica has ${digest} at ${index}`,
      );
    }
    const { region, log } = this.#options;
    await this.#snapshots.save(aboutOf(state, region, log), encodeSnapshot(state));
  }
}
