import type { LogIdentity, SnapshotData } from "@steppe/log";
import type { SnapshotStore } from "@steppe/log/internal";
import type { LogRequests } from "./requests.ts";

/** Where the snapshots of a log are, as a process reaches them. */
export function snapshotsOf(requests: LogRequests, log: LogIdentity): SnapshotStore {
  const { store } = requests;
  return {
    async save(index, data) {
      const copy = (await wholeSnapshot(data)).slice();
      await requests.state(() => store.keepSnapshot(log, { index, data: copy }));
    },
    newest: () => requests.state(() => store.snapshotOf(log)?.index ?? 0),
    load: () => requests.state(() => store.snapshotOf(log)),
  };
}

export async function wholeSnapshot(data: SnapshotData): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data;
  const pieces: Uint8Array[] = [];
  for await (const piece of data()) pieces.push(piece);
  return Buffer.concat(pieces);
}
