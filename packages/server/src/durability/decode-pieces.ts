import { SnapshotDecoder, type State } from "@steppe/state";

/** Rebuilds the state from a snapshot as it is read. Rejects as the reading does, and as `SnapshotDecoder` throws. */
export async function decodeSnapshotPieces(pieces: AsyncIterable<Uint8Array>): Promise<State> {
  const decoder = new SnapshotDecoder();
  for await (const piece of pieces) decoder.push(piece);
  return decoder.finish();
}
