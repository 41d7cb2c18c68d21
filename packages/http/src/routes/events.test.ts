import { gunzipSync } from "node:zlib";
import { SteppeError } from "@steppe/model";
import { Event, type EventBatch } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { createWorld } from "../test-world.ts";

const BATCH: EventBatch = {
  Index: 7,
  Events: [
    Event.create({
      Topic: "Job",
      Type: "JobRegistered",
      Key: "web",
      Namespace: "default",
      Index: 7,
      Payload: '{"Job":{}}',
    }),
    Event.create({ Topic: "Allocation", Key: "a", FilterKeys: ["web", ""], Index: 7, Payload: '{"Allocation":{}}' }),
  ],
};

/** A stream of these batches that then ends, with an error if one is given. */
function stream(query: string, batches: readonly EventBatch[], error?: Error, headers: Record<string, string> = {}) {
  const world = createWorld({
    others: ["eu"],
    answers: {
      events: {
        async *stream() {
          yield* batches;
          if (error !== undefined) throw error;
        },
      },
    },
  });
  const reply = world.app.inject({ url: `/v1/event/stream${query}`, headers });
  return reply.then((it) => ({ reply: it, calls: world.calls }));
}

describe("event stream route", () => {
  test("batches and heartbeats, a line each", async () => {
    const { reply } = await stream("", [{ Index: 0, Events: [] }, BATCH]);
    expect(reply.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-cache" });
    const [first, second, rest] = reply.body.split("\n");
    expect([first, rest]).toEqual(["{}", ""]);
    expect(JSON.parse(second ?? "")).toEqual({
      Index: 7,
      Events: [
        {
          Topic: "Job",
          Type: "JobRegistered",
          Key: "web",
          Namespace: "default",
          FilterKeys: null,
          Index: 7,
          Payload: { Job: {} },
        },
        {
          Topic: "Allocation",
          Type: "",
          Key: "a",
          Namespace: "",
          FilterKeys: ["web", ""],
          Index: 7,
          Payload: { Allocation: {} },
        },
      ],
    });
  });

  test("topics, index, namespace and region, passed on", async () => {
    const { calls } = await stream("?topic=Job&topic=Node:n1&index=5&namespace=*&region=eu", [BATCH]);
    expect(calls).toMatchObject([
      {
        region: "eu",
        request: {
          Index: 5,
          Topics: [
            { Name: "Job", Key: "*" },
            { Name: "Node", Key: "n1" },
          ],
          Query: { Region: "eu", Namespace: "*" },
        },
      },
    ]);
  });

  test("gzip accepted, packed piece by piece", async () => {
    const { reply } = await stream("", [BATCH, BATCH], undefined, { "accept-encoding": "gzip" });
    expect(reply.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(reply.rawPayload).toString().trim().split("\n")).toHaveLength(2);
  });

  test.each([
    ["?index=x", 'Unable to parse index: strconv.Atoi: parsing "x": invalid syntax'],
    ["?topic=a:b:c", /^Invalid topic query: error parsing topics: Invalid key value pair for topic, topic: a:b:c$/],
  ])("%s: 400", async (query, text) => {
    const { reply, calls } = await stream(query, [BATCH]);
    expect(reply.statusCode).toBe(400);
    expect(reply.body).toMatch(text);
    expect(calls).toEqual([]);
  });

  test("an index that is too old: 400 with the oldest one", async () => {
    const { reply } = await stream("?index=1", [], new SteppeError("invalid", "the oldest index it still has is 5"));
    expect([reply.statusCode, reply.body]).toEqual([400, "the oldest index it still has is 5"]);
  });

  test("a failure after the first batch, ends the stream with a line that tells why", async () => {
    const { reply } = await stream("", [BATCH], new SteppeError("refused", "too slow"));
    expect(reply.statusCode).toBe(200);
    expect(JSON.parse(reply.body.trim().split("\n").at(-1) ?? "")).toEqual({ Error: "too slow" });
  });
});
