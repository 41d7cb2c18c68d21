import { Entry } from "@steppe/proto";
import { expect, test } from "vitest";
import { type Applied, createApplier } from "./applier.ts";
import { encodeCommand, encodeEntry } from "./entry-bytes.ts";
import type { LogRecord, ReplicatedLog } from "./log.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";
import { SteppedClock, settled } from "./testing/stepped-clock.ts";
import { TallyMachine } from "./testing/tally-machine.ts";

/** An applier over a log whose deliveries the test makes. */
function world(machine = new TallyMachine(), clock = new SteppedClock()) {
  let deliver: Parameters<ReplicatedLog["tail"]>[1] = () => undefined;
  let after = -1;
  const tail = Promise.withResolvers<void>();
  const log: Pick<ReplicatedLog, "tail"> = {
    tail(from, take, signal) {
      after = from;
      deliver = async (records, kept) => {
        try {
          await take(records, kept);
        } catch (error) {
          tail.reject(error);
        }
      };
      signal.addEventListener("abort", () => tail.resolve());
      return tail.promise;
    },
  };
  const applier = createApplier({ log, machine, clock, logger: createQuietLogger() });
  return {
    ...{ applier, machine, clock, tail },
    deliver: (...records: LogRecord[]) => deliver(records),
    deliverAhead: (kept: Promise<void>, ...records: LogRecord[]) => deliver(records, kept),
    after: () => after,
  };
}

function record(index: number, ...requestIds: string[]): LogRecord {
  const commands = requestIds.map((id) => encodeCommand(id, new Uint8Array(16), { $case: "Barrier", value: {} }));
  return { index, payload: encodeEntry(index, commands) };
}

test("applier: reads after the machine's index", () => {
  const { applier, after } = world(new TallyMachine(41));
  applier.start();
  expect(after()).toBe(41);
});

test("applier: listeners hear each entry once, in order, before waiters go on", async () => {
  const { applier, machine, deliver } = world();
  const heard: Applied<readonly string[]>[] = [];
  applier.onApplied((applied) => heard.push(applied));
  applier.start();
  const waited = applier.waitFor(2).then(() => heard.length);
  await deliver(record(1, "a", "b"), record(2, "a", "c"), record(3));

  expect(machine.counted).toEqual(["a", "b", "c"]);
  expect(heard.map(({ index }) => index)).toEqual([1, 2, 3]);
  expect(heard.map(({ changes }) => changes)).toEqual([["a", "b"], ["c"], []]);
  expect(heard[1]?.outcomes.map(({ Index }) => Index)).toEqual([1, 2]);
  expect(await waited).toBeGreaterThanOrEqual(2);
  expect(applier.appliedIndex).toBe(3);
});

test("applier: records that are still being written here, apply at once and are told when they are kept", async () => {
  const { applier, deliverAhead } = world();
  const heard: string[] = [];
  applier.onApplied(({ index }) => heard.push(`applied ${index}`));
  applier.onKept(({ index }) => heard.push(`kept ${index}`));
  applier.start();
  void applier.waitForApplied(2).then(() => heard.push("waited until applied"));
  void applier.waitFor(1).then(() => heard.push("waited until kept"));
  const kept = Promise.withResolvers<void>();
  const done = deliverAhead(kept.promise, record(1), record(2));
  await settled();
  expect(heard).toEqual(["applied 1", "applied 2", "waited until applied"]);
  expect([applier.appliedIndex, applier.keptIndex]).toEqual([2, 0]);

  kept.resolve();
  await done;
  await settled();
  expect(heard.slice(3)).toEqual(["kept 1", "kept 2", "waited until kept"]);
  expect(applier.keptIndex).toBe(2);
});

test("applier: records cannot be kept here, stops and tells nobody of them", async () => {
  const { applier, deliverAhead } = world();
  const kept: number[] = [];
  applier.onKept(({ index }) => kept.push(index));
  const fatal = new Promise<Error>((resolve) => applier.onFatal(resolve));
  applier.start();
  const waiter = applier.waitFor(1);
  await deliverAhead(Promise.reject(new Error("disk gone")), record(1));
  expect((await fatal).message).toBe("disk gone");
  await expect(waiter).rejects.toThrow("disk gone");
  expect(kept).toEqual([]);
});

test("applier: waiters for different indexes, each goes on at its own", async () => {
  const { applier, deliver } = world();
  applier.start();
  const reached: number[] = [];
  for (const index of [3, 1, 2, 2]) applier.waitFor(index).then(() => reached.push(index));
  await deliver(record(1));
  expect(reached).toEqual([1]);
  await deliver(record(2));
  expect(reached).toEqual([1, 2, 2]);
  await deliver(record(3));
  expect(reached).toEqual([1, 2, 2, 3]);
  await applier.waitFor(3);
});

test("applier: a waiter gives up, rejects with the signal's reason", async () => {
  const { applier, deliver } = world();
  applier.start();
  const stop = new AbortController();
  const gone = applier.waitFor(1, stop.signal);
  const stays = applier.waitFor(1);
  stop.abort(new Error("gone"));
  await expect(gone).rejects.toThrow("gone");
  await deliver(record(1));
  await stays;
});

test("applier: an unknown kind of command, stops and says which", async () => {
  const { applier, machine, deliver } = world();
  const fatal = new Promise<Error>((resolve) => applier.onFatal(resolve));
  applier.start();
  const waiter = applier.waitFor(9);
  const unknown = Entry.encode({
    Time: 1,
    Commands: [{ RequestID: "r9", IDSeed: new Uint8Array(16), Kind: undefined, Fingerprint: "" }],
  });
  await deliver(record(1, "a"), { index: 2, payload: unknown.finish() }, record(3, "b"));

  expect((await fatal).message).toMatch(
    /command 0 of record 2 \(request r9\) is of a kind that this version does not know/,
  );
  await expect(waiter).rejects.toThrow("does not know");
  await expect(applier.waitFor(9)).rejects.toThrow("does not know");
  await applier.waitFor(1);
  expect(machine.counted).toEqual(["a"]);
  expect(await new Promise<Error>((resolve) => applier.onFatal(resolve))).toBe(await fatal);
});

test("applier: a record that does not decode, stops", async () => {
  const { applier, deliver } = world();
  const fatal = new Promise<Error>((resolve) => applier.onFatal(resolve));
  applier.start();
  await deliver({ index: 1, payload: new Uint8Array([0x12, 0xff, 0xff]) });
  expect((await fatal).message).toBe("record 1 of the log does not decode");
});

test("applier: the log skips an index, stops", async () => {
  const { applier, deliver } = world();
  const fatal = new Promise<Error>((resolve) => applier.onFatal(resolve));
  applier.start();
  await deliver(record(1), record(3));
  expect((await fatal).message).toBe("the log brought record 3 after 1");
});

test("applier: the machine throws, stops with its error", async () => {
  const machine = new TallyMachine();
  machine.apply = () => {
    throw new Error("invariant broken");
  };
  const { applier, deliver } = world(machine);
  const fatal = new Promise<Error>((resolve) => applier.onFatal(resolve));
  applier.start();
  await deliver(record(1));
  expect((await fatal).message).toBe("invariant broken");
});

test("applier: a long catch-up, other work gets its turn between entries", async () => {
  const machine = new TallyMachine();
  const clock = new SteppedClock();
  const apply = machine.apply.bind(machine);
  // Each entry takes 5 ms, so two fit into a slice.
  machine.apply = (index, entry) => {
    void clock.advance(5);
    return apply(index, entry);
  };
  clock.advance = async (ms) => {
    const now = clock.monotonicMs() + ms;
    clock.monotonicMs = () => now;
  };
  const { applier, deliver } = world(machine, clock);
  applier.start();
  const seen: number[] = [];
  const done = deliver(...Array.from({ length: 6 }, (_, i) => record(i + 1)));
  while (machine.index < 6) {
    seen.push(machine.index);
    await settled();
  }
  await done;
  expect(seen).toEqual([2, 4]);
});

test("applier: closed, rejects waiters, and the log's end is no failure", async () => {
  const { applier } = world();
  let failed = false;
  applier.onFatal(() => {
    failed = true;
  });
  applier.start();
  const waiter = applier.waitFor(1);
  const end = expect(waiter).rejects.toThrow("closed");
  await applier.close();
  await end;
  await expect(applier.waitFor(1)).rejects.toThrow("closed");
  expect(failed).toBe(false);
});
