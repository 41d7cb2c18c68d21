// The real disk keeps the contract of `Files`, and says what is wrong with it.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replaceFile } from "@steppe/log";
import { FileError } from "@steppe/model";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFiles } from "./files.ts";
import { canMount, smallDisk } from "./testing/small-disk.ts";
import { unprivileged } from "./testing/unprivileged.ts";

const files = createFiles();
const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = async (path: string) => new TextDecoder().decode(await files.read(path));

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "steppe-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("files", () => {
  test("appended in pieces and opened again, hold the pieces in order", async () => {
    const path = join(temporaryFolder(), "a");
    const file = await files.create(path);
    await file.append(bytes("one,"));
    await file.append(bytes("two,"));
    await file.sync();
    await file.close();
    const again = await files.open(path);
    expect(again.size).toBe(8);
    await again.append(bytes("three"));
    expect(again.size).toBe(13);
    await again.close();
    expect(await textOf(path)).toBe("one,two,three");
    expect(new TextDecoder().decode(await files.read(path, 4, 3))).toBe("two");
    expect(await files.read(path, 11, 100)).toHaveLength(2);
  });

  test("cut, renamed and removed, are as told", async () => {
    const folder = temporaryFolder();
    await files.makeFolder(join(folder, "x/y"));
    await replaceFile(files, join(folder, "x/y/a"), bytes("abcdef"));
    await files.cut(join(folder, "x/y/a"), 3);
    await files.rename(join(folder, "x/y/a"), join(folder, "x/y/b"));
    await files.syncFolder(join(folder, "x/y"));
    expect(await files.list(join(folder, "x/y"))).toEqual(["b"]);
    expect(await textOf(join(folder, "x/y/b"))).toBe("abc");
    await files.remove(join(folder, "x/y/b"));
    await files.remove(join(folder, "x/y/b"));
    expect(await files.size(join(folder, "x/y/b"))).toBeUndefined();
    expect(await files.list(join(folder, "none"))).toEqual([]);
  });

  test("absent, are told from those that cannot be read", async () => {
    const path = join(temporaryFolder(), "none");
    await expect(files.read(path)).rejects.toMatchObject({ code: "absent", path });
    await expect(files.open(path)).rejects.toThrow(`cannot open ${path}: there is no such file`);
    await expect(files.read(tmpdir())).rejects.toMatchObject({ code: "failed" });
  });

  test("without permission, reject with what to do, and leave the old content", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "a");
    await replaceFile(files, path, bytes("as it was"));
    chmodSync(path, 0o600);
    chmodSync(folder, 0o555);
    {
      using _ = unprivileged();
      await expect(files.create(join(folder, "b"))).rejects.toMatchObject({ code: "denied" });
      await expect(replaceFile(files, path, bytes("new"))).rejects.toMatchObject({
        code: "denied",
        message: `cannot create ${path}.new: permission denied: give this process's user access`,
      });
    }
    expect(await files.list(folder)).toEqual(["a"]);
    expect(await textOf(path)).toBe("as it was");
  });
});

describe.runIf(canMount)("files on a disk of 64 KiB", () => {
  test("that fills up, reject with what to do; a replacement leaves the old content", async () => {
    using disk = smallDisk(64);
    const path = join(disk.folder, "a");
    await replaceFile(files, path, bytes("as it was"));
    const error = await replaceFile(files, path, new Uint8Array(100_000)).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(FileError);
    expect(error).toMatchObject({
      code: "full",
      message: `cannot write ${path}.new: the disk is full: free some space`,
    });
    expect(await textOf(path)).toBe("as it was");
  });

  test("that turns read-only, reject with what to do", async () => {
    using disk = smallDisk(64);
    const path = join(disk.folder, "a");
    await replaceFile(files, path, bytes("as it was"));
    disk.readOnly(true);
    await expect(replaceFile(files, path, bytes("new"))).rejects.toMatchObject({ code: "read-only" });
    expect(await textOf(path)).toBe("as it was");
  });
});
