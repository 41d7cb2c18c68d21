import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { liveLog, rotateLog } from "./log-rotation.ts";

const limits = { disabled: false, filesMax: 2, fileBytesMax: 10 };
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "steppe-logs-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const content = () => Object.fromEntries(readdirSync(dir).map((file) => [file, readFileSync(join(dir, file), "utf8")]));

test("log rotation: a writer that keeps its file open goes on in the newest one", () => {
  const writer = openSync(liveLog(dir, "t", "stdout"), "a");
  for (const line of ["first-line\n", "second-line\n", "third-line\n"]) {
    writeSync(writer, line);
    rotateLog(dir, "t", "stdout", limits);
  }
  writeSync(writer, "end\n");
  closeSync(writer);
  expect(content()).toEqual({ "t.stdout.2": "third-line\n", "t.stdout.3": "end\n" });
});

test("log rotation: below the limit, or another task's file: left alone", () => {
  appendFileSync(liveLog(dir, "t", "stdout"), "short\n");
  appendFileSync(liveLog(dir, "t.stdout", "stdout"), "a line of another task\n");
  rotateLog(dir, "t", "stdout", limits);
  expect(content()).toEqual({ "t.stdout.0": "short\n", "t.stdout.stdout.0": "a line of another task\n" });
});
