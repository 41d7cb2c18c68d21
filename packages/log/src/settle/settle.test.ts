// Servers that settle together which log to follow: whoever holds more is not left behind, also by one that noticed nothing.
import { describe, expect, onTestFinished, test } from "vitest";
import { type LogIdentity, markOf, type RecordMark } from "../identity.ts";
import { createLocalBus } from "../local-bus.ts";
import type { FoundLog, RegionLogs } from "../region-logs.ts";
import { createQuietLogger } from "../testing/quiet-logger.ts";
import { SteppedClock } from "../testing/stepped-clock.ts";
import type { Position, Report } from "./decide.ts";
import { type Settled, type SettleNeeds, settle } from "./settle.ts";

const FIRST: LogIdentity = { epoch: 0, id: "", base: 0 };
const logger = createQuietLogger();

const mark = (index: number): RecordMark => markOf({ index, payload: Buffer.from(`record ${index}`) });
const held = (last: number): Position => ({ identity: FIRST, last, mark: mark(last) });

/** The region's logs, kept by nobody but the test. */
class Logs implements RegionLogs {
  found: FoundLog[];

  constructor(last: number) {
    this.found = [{ identity: FIRST, first: 1, last, sealed: false }];
  }

  list = async () => [...this.found];
  markAt = async (_: LogIdentity, index: number) => mark(index);
  snapshots = () => {
    throw new Error("not asked for");
  };
  close = () => undefined;

  create = async (identity: LogIdentity) => {
    if (this.found.some((log) => log.identity.epoch === identity.epoch)) return false;
    this.found.push({ identity, first: identity.base + 1, last: identity.base, sealed: false });
    return true;
  };

  seal = async ({ epoch }: LogIdentity) => {
    this.found = this.found.map((log) => (log.identity.epoch === epoch ? { ...log, sealed: true } : log));
  };
}

function world(last: number) {
  const clock = new SteppedClock();
  const bus = createLocalBus(clock, logger);
  const logs = new Logs(last);
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  const server = (name: string, position: Position, more: Partial<SettleNeeds> = {}) => {
    const it = { name, said: [] as string[], settled: undefined as Settled | undefined, saved: false };
    const needs: SettleNeeds = {
      ...{ name, quorum: 3, logs, bus, clock, logger },
      random: { id: () => `${name}-rebuilt`, bytes: () => new Uint8Array(16), fraction: () => 0.5 },
      position: () => position,
      saveState: async () => {
        it.saved = true;
      },
      snapshotIndex: async () => 0,
      rebuildAsked: async () => false,
      waiting: (text) => it.said.push(text),
      ...more,
    };
    settle(needs, stopping.signal).then(
      (settled) => {
        it.settled = settled;
      },
      () => undefined,
    );
    return it;
  };
  return { clock, logs, server };
}

const evidence: Report = { name: "a", position: held(100) };

describe("a server from whose copy the log goes on, and that was shown that it lacks what another holds", () => {
  test("takes part: with all there, the log is rebuilt from the one that holds most", async () => {
    const { clock, logs, server } = world(90);
    const a = server("a", held(100));
    const b = server("b", held(97));
    const c = server("c", held(85), { evidence });
    await clock.advance(12_000);
    expect([a, b, c].map(({ saved }) => saved)).toEqual([true, false, false]);
    expect(logs.found.at(-1)?.identity).toEqual({ epoch: 1, id: "a-rebuil", base: 100 });
    expect([a, b, c].map(({ settled }) => settled?.verdict.kind)).toEqual(["adopt", "adopt", "adopt"]);
  });

  test("the other one is silent since, waits and names it and the operator's command", async () => {
    const { clock, server } = world(90);
    const b = server("b", held(97), { quorum: 2, evidence });
    const c = server("c", held(85), { quorum: 2, evidence });
    await clock.advance(60_000);
    expect([b, c].map(({ settled }) => settled?.verdict.kind)).toEqual([undefined, undefined]);
    expect(c.said.at(-1)).toMatch(
      /the log ends at 90; a applied 100; a was heard to hold 100, .*steppe operator log rebuild/,
    );
  });

  test("an operator decides without it, no index that it was heard to hold is given out again", async () => {
    const { clock, logs, server } = world(90);
    const c = server("c", held(85), { evidence, rebuildAsked: async () => true });
    await clock.advance(12_000);
    expect(c.settled?.rebuilt).toBe(true);
    expect(logs.found.at(-1)?.identity.base).toBe(100);
  });

  test("the log turns out to hold it, follows", async () => {
    const { clock, logs, server } = world(90);
    const c = server("c", held(85), { evidence });
    await clock.advance(3000);
    expect(c.settled).toBeUndefined();
    logs.found = [{ identity: FIRST, first: 1, last: 104, sealed: false }];
    await clock.advance(1000);
    expect(c.settled?.verdict.kind).toBe("follow");
  });
});
