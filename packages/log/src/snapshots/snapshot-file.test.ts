import { expect, test } from "vitest";
import { encodeSnapshotFile, readSnapshotFile, type SnapshotAbout } from "./snapshot-file.ts";

const ABOUT: SnapshotAbout = {
  ...{ index: 12, region: "us", digest: 7, time: 9, version: "1" },
  log: { epoch: 0, id: "", base: 0 },
};
const RECORDS = Array.from({ length: 50 }, (_, n) => Buffer.from(`record ${n}`));

async function fileOf(): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeSnapshotFile(ABOUT, RECORDS)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 64): Promise<{ about: SnapshotAbout; content: string }> {
  const { about, records } = await readSnapshotFile(pieces(bytes, size));
  const all: Uint8Array[] = [];
  for await (const piece of records) all.push(piece);
  return { about, content: Buffer.concat(all).toString() };
}

test("snapshot file: in pieces of any size, gives back what went in", async () => {
  const file = await fileOf();
  for (const size of [1, 3, 64, file.length]) {
    expect(await read(file, size)).toEqual({ about: ABOUT, content: RECORDS.join("") });
  }
});

test("snapshot file: cut at any byte, is refused", async () => {
  const file = await fileOf();
  for (let size = 0; size < file.length; size++) {
    await expect(read(file.subarray(0, size)), `cut at ${size}`).rejects.toThrow("cut short");
  }
});

test("snapshot file: any byte changed or one more, is refused", async () => {
  const file = await fileOf();
  for (let at = 0; at < file.length; at++) {
    const rotten = Buffer.from(file);
    rotten[at] = (rotten[at] as number) ^ 0x40;
    await expect(read(rotten), `byte ${at}`).rejects.toThrow("the snapshot");
  }
  await expect(read(Buffer.concat([file, Buffer.from("x")]))).rejects.toThrow("goes on behind its end");
});

test("snapshot file: of one piece, however large, has chunks that a reader takes", async () => {
  const whole = Buffer.alloc(2_500_000, "record");
  const chunks: Uint8Array[] = [];
  const { records } = await readSnapshotFile(encodeSnapshotFile(ABOUT, [whole]));
  for await (const chunk of records) chunks.push(chunk);
  expect(Math.max(...chunks.map(({ length }) => length))).toBe(1024 * 1024);
  expect(Buffer.concat(chunks)).toEqual(whole);
});

test("snapshot file: of a later format, says which", async () => {
  const file = await fileOf();
  file.writeUInt16BE(9, 4);
  await expect(read(file)).rejects.toThrow("has format 9; this version reads format 1");
});
