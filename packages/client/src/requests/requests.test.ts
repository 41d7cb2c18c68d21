import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClock } from "@steppe/runtime";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveInside } from "./alloc-paths.ts";
import { describeFile, listFiles, readFile, type StreamOptions, streamFile } from "./files.ts";
import { streamLogs } from "./logs.ts";

let root: string;
const clock = createClock();
const PLAIN: StreamOptions = { offset: 0, fromEnd: false, follow: false, plain: true };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "steppe-alloc-"));
  for (const folder of ["alloc/logs", "task/secrets", "task/local", ".supervisor"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await writeFile(join(root, "alloc/text"), "0123456789");
});

afterEach(() => rm(root, { recursive: true, force: true }));

const signal = () => new AbortController().signal;

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

describe("paths", () => {
  test.each(["/", "", "alloc", "/alloc/logs/", "alloc/../task/local", "./alloc"])("%j, is inside", (path) => {
    expect(resolveInside(root, path).startsWith(root)).toBe(true);
  });

  test.each(["..", "../x", "/../etc/passwd", "alloc/../../x"])("%j, leads out and is refused", (path) => {
    expect(() => resolveInside(root, path)).toThrow("Path escapes the alloc directory");
  });

  test.each(["task/secrets", "task/secrets/token", "task/local/../secrets", ".supervisor"])("%j, is secret", (path) => {
    expect(() => resolveInside(root, path)).toThrow("Reading secret file prohibited");
  });

  test("links, are followed inside and refused when they lead out, or to what is secret", async () => {
    await symlink(join(root, "alloc/text"), join(root, "task/local/inside"));
    await symlink("/etc/passwd", join(root, "task/local/outside"));
    await symlink(join(root, "task/secrets"), join(root, "task/local/hidden"));
    expect(resolveInside(root, "task/local/inside")).toContain("inside");
    expect(() => resolveInside(root, "task/local/outside")).toThrow("Path escapes");
    expect(() => resolveInside(root, "task/local/hidden")).toThrow("prohibited");
  });
});

describe("files", () => {
  test("listed and described as the API does", async () => {
    expect(await listFiles(root, "/alloc")).toMatchObject([
      { Name: "logs", IsDir: true, FileMode: expect.stringMatching(/^drwx/) },
      { Name: "text", IsDir: false, Size: 10, FileMode: expect.stringMatching(/^-rw/) },
    ]);
    expect(await describeFile(root, "alloc/text")).toMatchObject({
      Name: "text",
      ModTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      ContentType: "text/plain; charset=utf-8",
    });
    await expect(describeFile(root, "nope")).rejects.toThrow("stat nope: no such file or directory");
  });

  test("read from a place on, and no more than asked for", async () => {
    expect(await textOf(readFile(root, "alloc/text", 0, 0, signal()))).toBe("0123456789");
    expect(await textOf(readFile(root, "alloc/text", 2, 3, signal()))).toBe("234");
    expect(await textOf(readFile(root, "alloc/text", 20, 0, signal()))).toBe("");
  });

  test("streamed in frames: place, data and name; what is empty is left out", async () => {
    const framed = { ...PLAIN, plain: false, fromEnd: true, offset: 4 };
    const text = await textOf(streamFile(root, "alloc/text", framed, clock, signal()));
    const data = Buffer.from("6789").toString("base64");
    expect(JSON.parse(text)).toEqual({ Offset: 6, Data: data, File: "alloc/text" });
  });

  test("followed: what is added arrives, and the end is told when the file goes", async () => {
    const framed = { ...PLAIN, plain: false, follow: true };
    const pieces = streamFile(root, "alloc/text", framed, clock, signal());
    const frames: { Data?: string; FileEvent?: string }[] = [];
    for await (const piece of pieces) {
      if (piece.length === 0) continue;
      const frame = JSON.parse(Buffer.from(piece).toString());
      frames.push(frame);
      if (frames.length === 1) await appendFile(join(root, "alloc/text"), "more");
      if (frame.Data === Buffer.from("more").toString("base64")) await rm(join(root, "alloc/text"));
    }
    expect(frames.at(-1)).toMatchObject({ FileEvent: "file deleted" });
  });
});

describe("logs", () => {
  const source = (ended: boolean) =>
    ({ logsDir: join(root, "alloc/logs"), task: "t", stream: "stdout", ended: () => ended }) as const;
  const write = (n: number, text: string) => writeFile(join(root, `alloc/logs/t.stdout.${n}`), text);

  test("over all files that it was rotated into, from either end", async () => {
    await write(3, "aaa");
    await write(4, "bbb");
    await write(10, "ccc");
    const read = (options: Partial<StreamOptions>) =>
      textOf(streamLogs(source(false), { ...PLAIN, ...options }, clock, signal()));
    expect(await read({})).toBe("aaabbbccc");
    expect(await read({ offset: 4 })).toBe("bbccc");
    expect(await read({ fromEnd: true, offset: 5 })).toBe("bbccc");
    expect(await read({ fromEnd: true, offset: 0 })).toBe("");
    expect(await read({ offset: 100 })).toBe("");
  });

  test("followed through a rotation, nothing is lost or told twice; ends with its task", async () => {
    await write(0, "one ");
    let ended = false;
    const following = streamLogs({ ...source(false), ended: () => ended }, { ...PLAIN, follow: true }, clock, signal());
    let text = "";
    for await (const piece of following) {
      text += Buffer.from(piece).toString();
      if (text === "one ") {
        await write(0, "one two ");
        await write(1, "three");
      }
      if (text.endsWith("three")) ended = true;
    }
    expect(text).toBe("one two three");
  });
});
