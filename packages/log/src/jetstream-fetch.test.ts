import type { Msg } from "@nats-io/nats-core";
import { describe, expect, test } from "vitest";
import { markOf } from "./identity.ts";
import { fetchRecords } from "./jetstream-fetch.ts";

const signal = new AbortController().signal;
const record = (index: number, text: string) => ({ index, payload: new TextEncoder().encode(text) });

/** A stream leader that holds these texts at sequences from 1 on; undefined: deleted. */
function leaderOf(texts: readonly (string | undefined)[]) {
  const request = async (subject: string, body: Uint8Array) => {
    expect(subject).toBe("$JS.API.STREAM.MSG.GET.S");
    const { seq } = JSON.parse(new TextDecoder().decode(body));
    const text = texts[seq - 1];
    const answer =
      text === undefined
        ? { error: { code: 404, err_code: 10037, description: "no message found" } }
        : { message: { subject: "s", seq, data: Buffer.from(text).toString("base64") } };
    return { json: () => answer } as unknown as Msg;
  };
  return { requests: { request, close: () => undefined }, stream: "S", base: 100, requestTimeoutMs: 1000 };
}

describe("records fetched one by one", () => {
  test.each([
    ["all that are there", ["a", "b", "c"], 101, 103, ["a", "b", "c"]],
    ["those up to a hole, which the reader judges", ["a", undefined, "c"], 101, 103, ["a"]],
    ["none, when the reader has all", ["a"], 102, 101, []],
  ] as const)("%s", async (_, texts, from, last, expected) => {
    const fetched = await fetchRecords(leaderOf(texts), from, last, undefined, signal);
    expect(fetched).toEqual(expected.map((text, n) => record(from + n, text)));
  });

  test("the last one that was delivered is another, a gap; the same, the ones behind it", async () => {
    const leader = leaderOf(["a", "b"]);
    await expect(fetchRecords(leader, 102, 102, markOf(record(101, "x")), signal)).rejects.toThrow(
      "another record 101 than the one applied here",
    );
    expect(await fetchRecords(leader, 102, 102, markOf(record(101, "a")), signal)).toEqual([record(102, "b")]);
  });
});
