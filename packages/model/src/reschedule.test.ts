import { type ReschedulePolicy, RescheduleTracker } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { nextReschedule, trackReschedule } from "./reschedule.ts";
import { HOUR, MINUTE, SECOND } from "./time.ts";

const policy = (fields: Partial<ReschedulePolicy>): ReschedulePolicy => ({
  Attempts: 0,
  Interval: 0,
  Delay: 30 * SECOND,
  DelayFunction: "exponential",
  MaxDelay: HOUR,
  Unlimited: true,
  ...fields,
});

const tracker = (...events: [time: number, delay: number][]): RescheduleTracker =>
  RescheduleTracker.create({ Events: events.map(([RescheduleTime, Delay]) => ({ RescheduleTime, Delay })) });

const now = 1_700_000_000 * SECOND;

describe("nextReschedule", () => {
  it("no policy, or one that never does: not eligible", () => {
    expect(nextReschedule(undefined, undefined, now).eligible).toBe(false);
    expect(nextReschedule(policy({ Unlimited: false }), undefined, now).eligible).toBe(false);
  });

  it.each<[string, Partial<ReschedulePolicy>, [number, number][], number]>([
    ["first failure", {}, [], 30 * SECOND],
    ["constant", { DelayFunction: "constant" }, [[now, 99]], 30 * SECOND],
    ["exponential", {}, [[now - MINUTE, MINUTE]], 2 * MINUTE],
    ["exponential at the ceiling", {}, [[now - MINUTE, 40 * MINUTE]], HOUR],
    ["outlived the ceiling", {}, [[now - 2 * HOUR, 40 * MINUTE]], 30 * SECOND],
    ["fibonacci, second", { DelayFunction: "fibonacci" }, [[now, 30 * SECOND]], 30 * SECOND],
    [
      "fibonacci",
      { DelayFunction: "fibonacci" },
      [
        [now, 3 * SECOND],
        [now, 5 * SECOND],
      ],
      8 * SECOND,
    ],
    [
      "fibonacci, started anew",
      { DelayFunction: "fibonacci" },
      [
        [now, HOUR],
        [now, 30 * SECOND],
      ],
      30 * SECOND,
    ],
  ])("%s: after its delay", (_, fields, events, delay) => {
    expect(nextReschedule(policy(fields), tracker(...events), now)).toEqual({ eligible: true, at: now + delay, delay });
  });

  it("limited attempts: those within the interval count", () => {
    const limited = policy({ Unlimited: false, Attempts: 2, Interval: HOUR, DelayFunction: "constant" });
    const recent: [number, number] = [now - MINUTE, 30 * SECOND];
    const old: [number, number] = [now - 2 * HOUR, 30 * SECOND];
    expect(nextReschedule(limited, tracker(recent, old), now).eligible).toBe(true);
    expect(nextReschedule(limited, tracker(recent, recent), now).eligible).toBe(false);
  });
});

describe("trackReschedule", () => {
  const event = { RescheduleTime: now, PrevAllocID: "a", PrevNodeID: "n", Delay: 1 };

  it("unlimited: the last five and the new one", () => {
    const past = tracker(...Array.from({ length: 9 }, (_, i): [number, number] => [now - 9 + i, i]));
    const { Events, LastReschedule } = trackReschedule(policy({}), past, event);
    expect(Events.map((it) => it.Delay)).toEqual([4, 5, 6, 7, 8, 1]);
    expect(LastReschedule).toBe("ok");
  });

  it("limited: those of the interval", () => {
    const limited = policy({ Unlimited: false, Attempts: 9, Interval: HOUR });
    const past = tracker([now - 2 * HOUR, 5], [now - MINUTE, 6]);
    expect(trackReschedule(limited, past, event).Events.map((it) => it.Delay)).toEqual([6, 1]);
    expect(trackReschedule(limited, undefined, event).Events).toEqual([event]);
  });
});
