// Streams of another region, over real connections.
import { SteppeError } from "@steppe/model";
import { type EventBatch, EventStreamRequest } from "@steppe/proto";
import { afterEach, describe, expect, it } from "vitest";
import { routedServices } from "./routed-services.ts";
import { Cleanup, call, caller, deferred, REFUSING_PORT, serve, services } from "./testkit.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const batch = (Index: number): EventBatch => ({ Index, Events: [] });
const request = EventStreamRequest.create({ Query: { Namespace: "prod" }, Index: 7 });

/** A server of region eu with such a stream. */
const streaming = (stream: (request: EventStreamRequest, call: { signal: AbortSignal }) => AsyncIterable<EventBatch>) =>
  serve(cleanup, { region: services({ "events.stream": stream }) });

async function indexes(stream: AsyncIterable<EventBatch>): Promise<number[]> {
  const seen = [];
  for await (const { Index } of stream) seen.push(Index);
  return seen;
}

describe("region forward, stream", () => {
  it("another region's, arrives there with region and hop mark, and comes back whole", async () => {
    const seen = deferred<EventStreamRequest>();
    const server = await streaming(async function* (asked) {
      seen.resolve(asked);
      for (const index of [1, 2, 3]) yield batch(index);
    });
    const { router } = caller(cleanup, [server.port]);

    expect(await indexes(router.route("eu").events.stream(request, call()))).toEqual([1, 2, 3]);
    expect(await seen.promise).toMatchObject({ Index: 7, Query: { Namespace: "prod", Region: "eu", Forwarded: true } });
  });

  it("the reader gone, ends at the other end", async () => {
    const ended = deferred();
    const server = await streaming(async function* (_, { signal }) {
      signal.addEventListener("abort", () => ended.resolve());
      yield batch(1);
      await ended.promise;
    });
    const { router } = caller(cleanup, [server.port]);
    for await (const { Index } of router.route("eu").events.stream(request, call())) if (Index === 1) break;

    await ended.promise;
  });

  it("first server does not answer, the next one does", async () => {
    const server = await streaming(async function* () {
      yield batch(5);
    });
    const { router } = caller(cleanup, [REFUSING_PORT, server.port]);

    expect(await indexes(router.route("eu").events.stream(request, call()))).toEqual([5]);
  });

  it("a refusal there, comes back with its code and text", async () => {
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give
    const server = await streaming(async function* () {
      throw new SteppeError("invalid", "the oldest index it still has is 9");
    });
    const { router } = caller(cleanup, [server.port]);

    await expect(indexes(router.route("eu").events.stream(request, call()))).rejects.toMatchObject({
      code: "invalid",
      message: "the oldest index it still has is 9",
    });
  });

  it("unknown region, or a forwarded request for another, No path to region", async () => {
    const { router } = caller(cleanup, []);
    const refused = { code: "no-path-to-region", message: "No path to region" };
    await expect(indexes(router.route("nowhere").events.stream(request, call()))).rejects.toMatchObject(refused);
    const hopped = EventStreamRequest.create({ Query: { Region: "nowhere", Forwarded: true } });
    await expect(indexes(routedServices(router).events.stream(hopped, call()))).rejects.toMatchObject(refused);
  });
});
