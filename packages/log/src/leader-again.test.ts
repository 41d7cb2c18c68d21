import type { Msg } from "@nats-io/nats-core";
import { expect, test } from "vitest";
import { leaderAgain } from "./jetstream-api.ts";
import { SteppedClock } from "./testing/stepped-clock.ts";

const STATE = {
  created: "now",
  config: { num_replicas: 3 },
  state: { first_seq: 1, last_seq: 1, messages: 1 },
};
const NOBODY = { error: { code: 503, err_code: 10008, description: "JetStream system temporarily unavailable" } };

/** Nodes that say these things, each so many milliseconds after it is asked; the last one for ever. */
function nodes(clock: SteppedClock, answers: readonly (readonly [number, object])[]) {
  let n = 0;
  const request = async () => {
    const [ms, answer] = answers[Math.min(n++, answers.length - 1)] as readonly [number, object];
    await clock.after(ms);
    return { json: () => answer } as unknown as Msg;
  };
  return { request, close: () => undefined };
}

test.each([
  ["a leader that answers at once and goes on doing so, is only busy", [[5, STATE]], undefined],
  [
    "one that answers after a silence, leads anew",
    [
      [5, STATE],
      [4_000, STATE],
    ],
    4_200,
  ],
  [
    "nodes that say that nobody leads, and then one that does",
    [
      [50, NOBODY],
      [50, NOBODY],
      [5, STATE],
    ],
    450,
  ],
] as const)("a stream's leader: %s", async (_, answers, expectedMs) => {
  const clock = new SteppedClock();
  let againMs: number | undefined;
  void leaderAgain(nodes(clock, answers), clock, "S", 5_000, new AbortController().signal).then(() => {
    againMs = clock.monotonicMs();
  });
  for (let n = 0; n < 1_000; n++) await clock.advance(10);
  if (expectedMs === undefined) expect(againMs).toBeUndefined();
  else expect(againMs).toBeLessThanOrEqual(expectedMs);
});
