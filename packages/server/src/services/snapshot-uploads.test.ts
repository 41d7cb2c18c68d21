import type { Clock } from "@steppe/model";
import { SnapshotPiece } from "@steppe/proto";
import { expect, test } from "vitest";
import { SnapshotUploads } from "./snapshot-uploads.ts";

/** Uploads into a list, over a clock whose timers the test fires. */
function world() {
  const files: string[] = [];
  const timers: (() => void)[] = [];
  const clock: Clock = {
    monotonicMs: () => 0,
    wallNs: () => 0,
    after: (_ms, signal) =>
      new Promise((resolve, reject) => {
        timers.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  const uploads = new SnapshotUploads({
    clock,
    id: () => `u${files.length}`,
    async restore(file) {
      const pieces: Uint8Array[] = [];
      for await (const piece of file) pieces.push(piece);
      files.push(Buffer.concat(pieces).toString());
      return 42;
    },
  });
  const take = (UploadID: string, Offset: number, text: string, End = false) =>
    uploads.take({ ...SnapshotPiece.create(), UploadID, Offset, Data: Buffer.from(text), End });
  return { files, timers, take };
}

test("snapshot upload, pieces in order, are one file; the end tells the index", async () => {
  const { files, take } = world();
  const { UploadID } = await take("", 0, "abc");
  expect(await take(UploadID, 3, "de")).toEqual({ UploadID, Index: 0 });
  expect(await take(UploadID, 5, "", true)).toEqual({ UploadID, Index: 42 });
  expect(files).toEqual(["abcde"]);
  await expect(take(UploadID, 5, "", true)).rejects.toThrow("is not known");
});

test("snapshot upload, a piece that comes twice, ends it and restores nothing", async () => {
  const { files, take } = world();
  const { UploadID } = await take("", 0, "abc");
  await expect(take(UploadID, 0, "abc")).rejects.toThrow("want offset 3 of the snapshot, not 0");
  expect(files).toEqual([]);
});

test("snapshot upload, whose sender is gone, is given up after a while", async () => {
  const { files, timers, take } = world();
  const { UploadID } = await take("", 0, "abc");
  await expect.poll(() => timers.length).toBeGreaterThan(0);
  timers.at(-1)?.();
  await expect.poll(() => take(UploadID, 3, "d").catch((error: Error) => error.message)).toMatch(/not known|is gone/);
  expect(files).toEqual([]);
});
