// Answers that other agents give in pieces.

export async function* dataOf(frames: AsyncIterable<{ readonly Data: Uint8Array }>): AsyncGenerator<Uint8Array, void> {
  for await (const { Data } of frames) yield Data;
}

export async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
