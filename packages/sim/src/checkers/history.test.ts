import { expect, test } from "vitest";
import { formatHistory, type Operation, parseHistory } from "./history.ts";

const history: Operation<unknown, unknown>[] = [
  { client: "c1", key: "eu/web", call: { op: "read" }, start: 1, end: 2.5, outcome: "ok", result: { mark: null } },
  { client: "c2", key: "eu/web", call: { op: "register", mark: "m" }, start: 2, outcome: "unknown" },
  { client: "c1", key: "eu/web", call: { op: "register", mark: "n" }, start: 3, end: 4, outcome: "failed" },
];

test("history: written as JSON lines, is read back", () => {
  expect(parseHistory(`${formatHistory(history)}\n`)).toEqual(history);
});

test.each([
  ["{", "line 2 of the history is not JSON"],
  ["null", "line 2 of the history has no client or no key"],
  ['{"client":"c","key":"k","start":1}', "line 2 of the history has no call"],
  ['{"client":"c","key":"k","call":1}', "line 2 of the history has no start"],
  ['{"client":"c","key":"k","call":1,"start":1,"outcome":"maybe"}', 'line 2 of the history has the outcome "maybe"'],
  [
    '{"client":"c","key":"k","call":1,"start":2,"end":1,"outcome":"failed"}',
    "line 2 of the history has no end, or one before its start",
  ],
  ['{"client":"c","key":"k","call":1,"start":1,"end":1,"outcome":"ok"}', "line 2 of the history has no result"],
])("history: a line that is no operation (%s), is named", (line, message) => {
  expect(() => parseHistory(`${JSON.stringify(history[0])}\n${line}`)).toThrow(message);
});
