import { createStepClock } from "@steppe/runtime/internal";
import { expect, test } from "vitest";
import { watchCutOff } from "./cut-off.ts";

test("log goes silent, streams end with a reason to go elsewhere; heard again, new ones last", async () => {
  const clock = createStepClock();
  const log = { silence: 0, silenceMs: () => log.silence };
  const stopping = new AbortController();
  const cutOff = watchCutOff({ log, clock }, stopping.signal);
  const before = cutOff.signal();
  cutOff.refuse();
  log.silence = 3_001;
  expect(() => cutOff.refuse()).toThrow("No cluster leader");
  expect(before.aborted).toBe(false);
  await clock.advance(500);
  expect(before.reason).toMatchObject({ code: "no-quorum" });
  expect(cutOff.signal().aborted).toBe(true);
  log.silence = 0;
  expect(cutOff.signal().aborted).toBe(false);
  stopping.abort();
});
