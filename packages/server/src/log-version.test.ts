import { Member } from "@steppe/proto";
import { expect, test } from "vitest";
import { createLogVersionCheck, LOG_VERSION, LOG_VERSION_TAG } from "./log-version.ts";

const member = (Name: string, version: number, fields: Partial<Member> = {}): Member => ({
  ...{ ...Member.create(), Name, Region: "eu", Status: "alive" },
  Tags: version === 0 ? {} : { [LOG_VERSION_TAG]: String(version) },
  ...fields,
});

function world(members: Member[]) {
  const at = { ms: 1000 };
  const clock = { monotonicMs: () => at.ms };
  return { at, members, know: createLogVersionCheck({ clock, region: "eu", isAlone: false, members: () => members }) };
}

test("one that starts, waits until it has heard of the others", () => {
  const { at, know } = world([member("a", LOG_VERSION)]);
  expect(know()).toBe(false);
  at.ms += 5000;
  expect(know()).toBe(true);
});

test("a server of an older version, down or not, holds the others back until it is upgraded or has left", () => {
  const { at, know, members } = world([member("a", LOG_VERSION), member("b", 0, { Status: "failed" })]);
  at.ms += 5000;
  expect(know()).toBe(false);
  members[1] = member("b", LOG_VERSION + 1);
  expect(know()).toBe(false);
  at.ms += 1000;
  expect(know()).toBe(true);
  members[1] = member("b", 0, { Status: "left" });
  at.ms += 1000;
  expect(know()).toBe(true);
});

test("other regions have logs of their own", () => {
  const { at, know } = world([member("a", LOG_VERSION), member("b", 0, { Region: "us" })]);
  at.ms += 5000;
  expect(know()).toBe(true);
});

test("an embedded log has nobody else", () => {
  const know = createLogVersionCheck({
    clock: { monotonicMs: () => 0 },
    region: "eu",
    isAlone: true,
    members: () => [],
  });
  expect(know()).toBe(true);
});
