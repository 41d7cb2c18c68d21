import { expect, test } from "vitest";
import { mayPurge } from "./jetstream-truncate.ts";

test("truncation: a replicated stream is purged only where a replay does not purge more", () => {
  expect(mayPurge(1, "2.9.10")).toBe(true);
  expect(mayPurge(3, "2.9.10")).toBe(false);
  expect(mayPurge(3, "2.9.25")).toBe(false);
  expect(mayPurge(3, "2.10.0")).toBe(true);
  expect(mayPurge(5, "2.12.1-RC.1")).toBe(true);
  expect(mayPurge(3, "3.0.0")).toBe(true);
  expect(mayPurge(3, "")).toBe(false);
});
