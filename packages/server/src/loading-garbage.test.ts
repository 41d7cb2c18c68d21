import { describe, expect, it } from "vitest";
import { collectLoadingGarbage } from "./loading-garbage.ts";

/** The process of the tests may have a large heap. */
const ANY_HEAP = Number.POSITIVE_INFINITY;
const signal = new AbortController().signal;
const clock = { monotonicMs: () => 0, wallNs: () => 0, after: async () => undefined };

function listening() {
  const said: string[] = [];
  const say = (_fields: object, message: string) => void said.push(message);
  const logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
  return { logger, said };
}

describe("garbage of loading", () => {
  it("a start without a replica, collected once it is over", async () => {
    const { logger, said } = listening();
    await collectLoadingGarbage(undefined, clock, logger, signal, ANY_HEAP);
    expect(said).toEqual(["collected what loading left"]);
  });

  it("a replica that is behind, not before it caught up", async () => {
    const { logger, said } = listening();
    const caughtUp = Promise.withResolvers<void>();
    const replica = { freshness: { lastIndex: async () => 7 }, applier: { waitFor: () => caughtUp.promise } };
    const collected = collectLoadingGarbage(replica as never, clock, logger, signal, ANY_HEAP);
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual([]);
    caughtUp.resolve();
    await collected;
    expect(said).toEqual(["collected what loading left"]);
  });

  it("a heap that is large, left as it is", async () => {
    const { logger, said } = listening();
    await collectLoadingGarbage(undefined, clock, logger, signal, 1);
    expect(said).toEqual([]);
  });

  it("a log that does not answer, left as it is", async () => {
    const { logger, said } = listening();
    const lastIndex = () => Promise.reject(new Error("no leader"));
    const replica = { freshness: { lastIndex }, applier: { waitFor: async () => undefined } };
    await collectLoadingGarbage(replica as never, clock, logger, signal, ANY_HEAP);
    expect(said).toEqual(["what loading left was not collected"]);
  });
});
