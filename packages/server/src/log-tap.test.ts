import type { Logger } from "@steppe/model";
import { expect, test } from "vitest";
import { LogTap } from "./log-tap.ts";

function world() {
  const logged: string[] = [];
  const note = (_: object, message: string) => void logged.push(message);
  const base: Logger = { debug: note, info: note, warn: note, error: note, child: () => base };
  const tap = new LogTap({ monotonicMs: () => 0, wallNs: () => 7, after: () => new Promise(() => {}) });
  return { logged, tap, logger: tap.wrap(base) };
}

test("log tap: lines of the level asked for and above, with what the child logger adds, and errors by their chain", async () => {
  const { logged, tap, logger } = world();
  const reader = new AbortController();
  const lines = tap.read("info", reader.signal);
  const first = lines.next();
  const child = logger.child({ part: "nats" });
  child.debug({}, "detail");
  child.warn({ err: new Error("outer", { cause: new Error("inner") }) }, "lost");
  expect((await first).value).toEqual({
    time: 7,
    level: "warn",
    message: "lost",
    fields: { part: "nats", err: "outer: inner" },
  });
  expect(logged).toEqual(["detail", "lost"]);
  const end = lines.next();
  reader.abort();
  expect((await end).done).toBe(true);
});

test("log tap: a reader that is slow, is told how many lines it missed, and memory stays bounded", async () => {
  const { tap, logger } = world();
  const lines = tap.read("debug", new AbortController().signal);
  const first = lines.next();
  for (let n = 0; n < 1000; n++) logger.info({ n }, "line");
  expect((await first).value?.fields).toEqual({ lines: 488 });
  expect((await lines.next()).value?.fields).toEqual({ n: 488 });
});
