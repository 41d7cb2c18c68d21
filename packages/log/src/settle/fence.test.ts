// A server that comes back to its log relies on it only once it holds what the others hold.
import { describe, expect, onTestFinished, test } from "vitest";
import type { RegionBus } from "../bus.ts";
import type { RecordMark } from "../identity.ts";
import { createLocalBus } from "../local-bus.ts";
import { LogGapError } from "../log.ts";
import { createQuietLogger } from "../testing/quiet-logger.ts";
import { SteppedClock, settled } from "../testing/stepped-clock.ts";
import type { Position, Report } from "./decide.ts";
import { Fence } from "./fence.ts";
import { answerOthers, type Hearing, heardEnough, NO_OTHERS, type OtherServers } from "./others.ts";

const FIRST = { epoch: 0, id: "", base: 0 };
const logger = createQuietLogger();

/** Records are told apart by their writer's number. */
const held = (last: number, by = 1): Position => ({ identity: FIRST, last, mark: { index: last, crc: by } });

class FakeLog {
  readonly identity = FIRST;
  last: number;
  /** Of the record at an index. */
  by = (_: number) => 1;
  answers = true;
  #listeners = new Set<(why: string) => void>();

  constructor(last: number) {
    this.last = last;
  }

  async span() {
    if (!this.answers) throw new Error("no leader");
    return { first: 1, last: this.last };
  }

  async markAt(index: number): Promise<RecordMark | undefined> {
    return { index, crc: this.by(index) };
  }

  onBreak(listener: (why: string) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  break() {
    for (const listener of this.#listeners) listener("the connection broke");
  }
}

interface World {
  readonly clock: SteppedClock;
  readonly bus: RegionBus;
  readonly log: FakeLog;
  readonly fence: Fence;
  readonly signal: AbortSignal;
}

function world(log: FakeLog, own: Position, options: { quorum?: number; others?: OtherServers } = {}): World {
  const clock = new SteppedClock();
  const bus = createLocalBus(clock, logger);
  const { quorum, others = NO_OTHERS } = options;
  const needs = { name: "a", quorum, bus, clock, others, log, logger, own: async () => ({ name: "a", position: own }) };
  const fence = new Fence(needs);
  const stopping = new AbortController();
  onTestFinished(() => {
    stopping.abort();
    fence.close();
  });
  return { clock, bus, log, fence, signal: stopping.signal };
}

function answering({ bus, signal }: World, ...reports: readonly Report[]): void {
  for (const report of reports) answerOthers({ bus, logger }, async () => report, signal);
}

/** What became of it by now. */
function watched<T>(promise: Promise<T>): { state: "open" | "passed" | "failed"; error?: unknown } {
  const watch: ReturnType<typeof watched> = { state: "open" };
  promise.then(
    () => {
      watch.state = "passed";
    },
    (error: unknown) => {
      watch.state = "failed";
      watch.error = error;
    },
  );
  return watch;
}

describe("fence", () => {
  test("the log holds what all say they hold: down as soon as the last of them has answered", async () => {
    const it = world(new FakeLog(12), held(10), { quorum: 3 });
    answering(it, { name: "b", position: held(12) });
    const passed = watched(it.fence.pass(it.signal));
    await it.clock.advance(500);
    expect(passed.state).toBe("open");
    answering(it, { name: "c", position: held(9) });
    await it.clock.advance(200);
    expect(passed.state).toBe("passed");
    expect(it.fence.isUp).toBe(false);
  });

  test("nobody answers, is down after a second", async () => {
    const it = world(new FakeLog(10), held(10), { quorum: 3 });
    const passed = watched(it.fence.pass(it.signal));
    await it.clock.advance(990);
    expect(passed.state).toBe("open");
    await it.clock.advance(60);
    expect(passed.state).toBe("passed");
  });

  test.each<[string, number, (index: number) => number, string]>([
    ["ends before", 90, () => 1, "the log ends at 90; b applied 100"],
    [
      "holds another record than",
      105,
      (index) => (index > 90 ? 2 : 1),
      "the log holds another record 100 than b applied",
    ],
  ])(
    "the log %s what another server holds, is lost for this one too, whose own copy it goes on from",
    async (_, last, by, why) => {
      const log = new FakeLog(last);
      log.by = by;
      const it = world(log, held(85), { quorum: 2 });
      const report = { name: "b", position: held(100) };
      answering(it, report);
      const passed = watched(it.fence.pass(it.signal));
      await it.clock.advance(4900);
      expect(passed.state).toBe("open");
      await it.clock.advance(500);
      expect(passed.error).toBeInstanceOf(LogGapError);
      expect(passed.error).toMatchObject({ message: why, evidence: report });
      expect(it.fence.isUp).toBe(true);
    },
  );

  test("a leader that was just elected has not taken in all yet, is waited for", async () => {
    const it = world(new FakeLog(90), held(95), { quorum: 1 });
    const passed = watched(it.fence.pass(it.signal));
    await it.clock.advance(3000);
    it.log.answers = false;
    await it.clock.advance(4000);
    it.log.answers = true;
    await it.clock.advance(3000);
    expect(passed.state).toBe("open");
    it.log.last = 95;
    await it.clock.advance(100);
    expect(passed.state).toBe("passed");
  });

  test("a break ends what was passed, nothing is sent or told until it was compared again", async () => {
    const it = world(new FakeLog(10), held(10), { quorum: 1 });
    const first = await it.fence.pass(it.signal);
    it.log.break();
    expect(first.aborted).toBe(true);
    const sent = watched(it.fence.beforeAppend());
    const asked = watched(it.fence.question(async () => 10));
    await it.clock.advance(500);
    expect([sent.state, asked.state]).toEqual(["open", "open"]);
    await it.fence.pass(it.signal);
    await settled();
    expect([sent.state, asked.state]).toEqual(["passed", "passed"]);
  });

  test("an answer comes after a break, is asked for again behind the fence", async () => {
    const it = world(new FakeLog(10), held(10), { quorum: 1 });
    await it.fence.pass(it.signal);
    const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
    let asked = 0;
    const told = it.fence.question(() => (answers[asked++] as (typeof answers)[number]).promise);
    it.log.break();
    answers[0]?.resolve(4);
    await settled();
    expect(asked).toBe(1);
    await it.fence.pass(it.signal);
    answers[1]?.resolve(12);
    expect(await told).toBe(12);
  });

  test("it stays up, what was to be sent is given back unsent, and then the questions are", async () => {
    const it = world(new FakeLog(9), held(10), { quorum: 1 });
    const passed = watched(it.fence.pass(it.signal));
    const sent = watched(it.fence.beforeAppend());
    const asked = watched(it.fence.question(async () => 10));
    await it.clock.advance(1010);
    expect(sent.error).toMatchObject({ name: "AppendError", outcome: "refused" });
    await it.clock.advance(4000);
    expect(asked.error).toMatchObject({ code: "no-quorum" });
    expect(passed.state).not.toBe("passed");
  });

  test("a break while it is compared, is compared again with what others hold by then", async () => {
    const it = world(new FakeLog(10), held(10), { quorum: 2 });
    const passed = watched(it.fence.pass(it.signal));
    await it.clock.advance(900);
    it.log.break();
    await it.clock.advance(200);
    expect(passed.state).toBe("open");
    answering(it, { name: "b", position: held(11) });
    await it.clock.advance(3000);
    expect(passed.state).toBe("open");
    it.log.last = 11;
    await it.clock.advance(100);
    expect(passed.state).toBe("passed");
  });

  test.each([
    ["not on the bus yet", false, 5500],
    ["known and there may be more", true, 6500],
  ])("another server is %s, is heard where it is reached directly", async (_, mayBeMore, afterMs) => {
    const report = { name: "b", position: held(100) };
    const others: OtherServers = { known: () => ({ names: ["b"], mayBeMore }), held: async () => report };
    const it = world(new FakeLog(90), held(85), { others });
    const passed = watched(it.fence.pass(it.signal));
    await it.clock.advance(afterMs);
    expect(passed.error).toMatchObject({ evidence: report });
  });

  test("another server is reached only when it is asked again, is heard", async () => {
    const report = { name: "b", position: held(100) };
    let tries = 0;
    const others: OtherServers = {
      known: () => ({ names: ["b"], mayBeMore: false }),
      held: async () => {
        if (++tries < 3) throw new Error("the connection had ended");
        return report;
      },
    };
    const it = world(new FakeLog(90), held(85), { others });
    const passed = watched(it.fence.pass(it.signal));
    await it.clock.advance(5500);
    expect(passed.error).toMatchObject({ evidence: report });
  });
});

/** `names`: all that there are; absent: none is known yet, and there may be more. */
interface Given extends Partial<Pick<Hearing, "waitedMs" | "quorum">> {
  readonly names?: string[];
  readonly answered?: string[];
  readonly refused?: string[];
}

describe("who is still waited for", () => {
  const hearing = (given: Given): Hearing => ({
    ...{ waitedMs: given.waitedMs ?? 10, quorum: given.quorum },
    known: { names: given.names ?? [], mayBeMore: given.names === undefined },
    heard: new Set(given.answered ?? []),
    unreached: new Set(given.refused ?? []),
  });

  test.each<[string, Hearing, boolean]>([
    ["nobody is known yet", hearing({}), false],
    ["nobody is known yet, the second is over", hearing({ waitedMs: 1000 }), true],
    ["nobody is known yet, one server of one", hearing({ quorum: 1 }), true],
    ["nobody is known yet, one of two others answered", hearing({ quorum: 3, answered: ["b"] }), false],
    ["nobody is known yet, both others answered", hearing({ quorum: 3, answered: ["b", "c"] }), true],
    ["alone", hearing({ names: [] }), true],
    ["alone, where three are configured", hearing({ names: [], quorum: 3 }), true],
    ["all known answered", hearing({ names: ["b", "c"], answered: ["c", "b"] }), true],
    ["one is silent", hearing({ names: ["b", "c"], answered: ["b"], waitedMs: 990 }), false],
    ["one is silent, the second is over", hearing({ names: ["b", "c"], answered: ["b"], waitedMs: 1000 }), true],
    ["one was not reached a moment ago", hearing({ names: ["b"], refused: ["b"], waitedMs: 200 }), false],
    ["one was not reached for a while", hearing({ names: ["b"], refused: ["b"], waitedMs: 300 }), true],
    ["one was not reached, another is silent", hearing({ names: ["b", "c"], refused: ["b"], waitedMs: 300 }), false],
  ])("%s: enough %s", (_, given, enough) => {
    expect(heardEnough(given)).toBe(enough);
  });
});
