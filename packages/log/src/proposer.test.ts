import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Random, SteppeError } from "@steppe/model";
import { AllocationUpdate, Job, Outcome, RegisterJob } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApplier } from "./applier.ts";
import { openEmbeddedLog } from "./embedded-log.ts";
import { encodeCommand, encodeEntry } from "./entry-bytes.ts";
import type { CommandKind } from "./proposals.ts";
import { createProposer, type ProposerOptions } from "./proposer.ts";
import { type HandAppend, HandLog } from "./testing/hand-log.ts";
import { createQuietLogger } from "./testing/quiet-logger.ts";
import { SteppedClock, settled } from "./testing/stepped-clock.ts";
import { TallyMachine } from "./testing/tally-machine.ts";

const logger = createQuietLogger();

/** Ids r1, r2, …; seeds of the count; no jitter. */
function countedRandom(): Random {
  let count = 0;
  return { bytes: (length) => new Uint8Array(length).fill(count), id: () => `r${++count}`, fraction: () => 0 };
}

function world(options: Partial<ProposerOptions> = {}) {
  const log = new HandLog();
  const clock = new SteppedClock();
  const machine = new TallyMachine();
  const applier = createApplier({ log, machine, clock, logger });
  const proposer = createProposer({ log, applier, clock, random: countedRandom(), logger, options });
  applier.start();
  return { log, clock, machine, applier, proposer };
}

function kind(message = ""): CommandKind {
  return { $case: "UpdateNodeStatus", value: { NodeIDs: [], Status: "ready", Message: message, Term: 0 } };
}

function report(id: string): CommandKind {
  return { $case: "UpdateAllocations", value: { Updates: [AllocationUpdate.create({ ID: id })] } };
}

/** Allocations reported in it. */
function reports(append: HandAppend | undefined): string[] {
  const commands = append?.entry.Commands ?? [];
  return commands.flatMap(({ Kind }) =>
    Kind?.$case === "UpdateAllocations" ? Kind.value.Updates.map(({ ID }) => ID) : [],
  );
}

function requestIds(append: HandAppend | undefined): string[] {
  return append?.entry.Commands.map(({ RequestID }) => RequestID) ?? [];
}

function failure(code: SteppeError["code"]) {
  return (error: unknown) => error instanceof SteppeError && error.code === code;
}

describe("proposer", () => {
  test("propose: the command is stamped, and answered when it is applied here", async () => {
    const { log, proposer, clock } = world();
    const outcome = proposer.propose(kind("x"), { requestId: "mine" });
    await settled();
    const [append] = log.appends;
    expect(append?.entry.Time).toBe(clock.wallNs());
    expect(append?.entry.Commands).toMatchObject([{ RequestID: "mine", Kind: kind("x") }]);
    expect(append?.entry.Commands[0]?.IDSeed.length).toBe(16);

    append?.store();
    expect((await outcome).Index).toBe(1);
  });

  test("propose: stored but not applied here, is not answered yet", async () => {
    const { log, proposer } = world();
    let answered = false;
    const outcome = proposer.propose(kind()).then(() => {
      answered = true;
    });
    await settled();
    log.appends[0]?.store(false);
    await settled();
    expect(answered).toBe(false);
    log.appends[0]?.show();
    await outcome;
  });

  test("propose: the state machine refuses, the refusal is the outcome", async () => {
    const { log, proposer, machine } = world();
    const refused = Outcome.create({ Refusal: { Code: "refused", Message: "no" } });
    machine.apply = (index) => {
      machine.index = index;
      return { outcomes: [refused], changes: [] };
    };
    const outcome = proposer.propose(kind());
    await settled();
    log.appends[0]?.store();
    expect((await outcome).Refusal?.Message).toBe("no");
  });

  test("group commit: what is proposed in one turn is one entry, what comes while two are under way is the next", async () => {
    const { log, proposer } = world();
    const outcomes = [proposer.propose(kind()), proposer.propose(kind())];
    await settled();
    outcomes.push(proposer.propose(kind()));
    await settled();
    outcomes.push(proposer.propose(kind()), proposer.propose(kind()));
    await settled();
    expect(log.appends.map(requestIds)).toEqual([["r1", "r2"], ["r3"]]);

    log.appends[0]?.store();
    await settled();
    expect(log.appends.map(requestIds)).toEqual([["r1", "r2"], ["r3"], ["r4", "r5"]]);
    for (const append of log.appends.slice(1)) append.store();
    const indexes = (await Promise.all(outcomes)).map(({ Index }) => Index);
    expect(indexes).toEqual([1, 1, 2, 3, 3]);
  });

  test("second entry: goes behind the first once half as many commands are there", async () => {
    const { log, proposer } = world();
    for (let i = 0; i < 5; i++) void proposer.propose(kind());
    await settled();
    for (const expected of [1, 1, 2]) {
      void proposer.propose(kind());
      await settled();
      expect(log.appends.length).toBe(expected);
    }
    expect(requestIds(log.appends[1])).toEqual(["r6", "r7", "r8"]);
  });

  test("second entry: none behind a slow one", async () => {
    const { log, clock, proposer } = world();
    void proposer.propose(kind());
    await settled();
    await clock.advance(250);
    void proposer.propose(kind());
    await settled();
    expect(log.appends.length).toBe(1);
    log.appends[0]?.store();
    await settled();
    expect(log.appends.length).toBe(2);
  });

  test("second entry: none while the first is sent again", async () => {
    const { log, clock, proposer } = world();
    void proposer.propose(kind());
    await settled();
    log.appends[0]?.lose("unknown");
    await settled();
    void proposer.propose(kind());
    await clock.advance(100);
    expect(log.appends.map(requestIds)).toEqual([["r1"], ["r1"]]);
    log.appends[1]?.store();
    await settled();
    expect(requestIds(log.appends[2])).toEqual(["r2"]);
  });

  test("second entry: is stored while the first is not, both are answered", async () => {
    const { log, clock, proposer, machine } = world();
    const first = proposer.propose(kind("1"), { requestId: "1" });
    await settled();
    const later = proposer.propose(kind("2"), { requestId: "2" });
    await settled();
    log.appends[0]?.lose("unknown");
    log.appends[1]?.store();
    expect((await later).Index).toBe(1);
    await clock.advance(100);
    log.appends[2]?.store();
    expect((await first).Index).toBe(2);
    expect(machine.counted).toEqual(["2", "1"]);
  });

  test("group commit: two that set the same job, are in two entries, so that each version has an index of its own", async () => {
    const { log, proposer } = world();
    const register = (id: string): Parameters<typeof proposer.propose>[0] => ({
      $case: "RegisterJob",
      value: RegisterJob.create({ Job: Job.create({ Namespace: "default", ID: id }) }),
    });
    const outcomes = ["a", "b", "a", "c"].map((id) => proposer.propose(register(id)));
    await settled();
    log.appends[0]?.store();
    await settled();
    log.appends[1]?.store();

    expect((await Promise.all(outcomes)).map(({ Index }) => Index)).toEqual([1, 1, 2, 2]);
  });

  test("group commit: entries stay within the payload limit and the count limit", async () => {
    const { log, proposer } = world({ commandsMax: 5 });
    log.payloadMax = 3000;
    for (let i = 0; i < 4; i++) proposer.propose(kind("x".repeat(1000))).catch(() => undefined);
    for (let i = 0; i < 7; i++) proposer.propose(kind()).catch(() => undefined);
    for (let i = 0; i < 6; i++) {
      await settled();
      log.appends[i]?.store();
    }
    expect(log.appends.map(({ entry }) => entry.Commands.length)).toEqual([2, 5, 4]);
    for (const { payload } of log.appends) expect(payload.length).toBeLessThanOrEqual(3000);
  });

  test("patient: goes at once while the log is quiet", async () => {
    const { log, proposer } = world();
    void proposer.propose(report("a"));
    await settled();
    expect(log.appends.map(reports)).toEqual([["a"]]);
  });

  test("patient: shortly after another entry, waits for the next one and goes with it", async () => {
    const { log, clock, proposer } = world();
    void proposer.propose(kind());
    await settled();
    void proposer.propose(report("a"));
    log.appends[0]?.store();
    await clock.advance(20);
    void proposer.propose(report("b"));
    await clock.advance(20);
    expect(log.appends.length).toBe(1);
    void proposer.propose(kind(), { requestId: "wanted" });
    await settled();
    expect(reports(log.appends[1])).toEqual(["a", "b"]);
    expect(requestIds(log.appends[1])).toContain("wanted");
  });

  test("patient: nothing comes to go with, goes alone 50 ms after the last entry", async () => {
    const { log, clock, proposer } = world();
    void proposer.propose(kind());
    await settled();
    log.appends[0]?.store();
    await clock.advance(10);
    const outcome = proposer.propose(report("a"));
    await clock.advance(39);
    expect(log.appends.length).toBe(1);
    await clock.advance(1);
    expect(reports(log.appends[1])).toEqual(["a"]);
    log.appends[1]?.store();
    await outcome;
  });

  test("patient: much of it does not wait", async () => {
    const { log, proposer } = world({ gatherBytes: 1000 });
    void proposer.propose(kind());
    await settled();
    log.appends[0]?.store();
    const reported = ["a", "b", "c"].map((name) => name.repeat(400));
    for (const name of reported) void proposer.propose(report(name));
    await settled();
    expect(reports(log.appends[1])).toEqual(reported);
  });

  test("patient: the log refuses, it is tried again as anything else", async () => {
    const { log, clock, proposer } = world();
    const outcome = proposer.propose(report("a"));
    await settled();
    log.appends[0]?.lose("refused");
    await clock.advance(60);
    log.appends[1]?.store();
    await outcome;
  });

  test("patient: the proposer closes, it goes before", async () => {
    const { log, clock, proposer } = world();
    void proposer.propose(kind());
    await settled();
    const outcome = proposer.propose(report("a"));
    log.appends[0]?.store();
    const closed = proposer.close();
    await clock.advance(50);
    log.appends[1]?.store();
    await Promise.all([outcome, closed]);
  });

  test("too large: that command only is refused", async () => {
    const { log, proposer } = world();
    log.payloadMax = 1000;
    const large = proposer.propose(kind("x".repeat(1000)));
    const small = proposer.propose(kind());
    await expect(large).rejects.toSatisfy(failure("too-large"));
    await settled();
    log.appends[0]?.store();
    await small;
    expect(log.appends.length).toBe(1);
  });

  test("too large: the limit shrinks after it was taken, what fits goes again", async () => {
    const { log, proposer } = world();
    const large = proposer.propose(kind("x".repeat(2000)));
    const small = [proposer.propose(kind(), { requestId: "a" }), proposer.propose(kind(), { requestId: "b" })];
    log.appendMax = 1000;
    await expect(large).rejects.toSatisfy(failure("too-large"));
    for (let i = 0; i < small.length; i++) {
      await settled();
      log.appends[i]?.store();
    }
    await Promise.all(small);
    expect(log.appends.map(requestIds)).toEqual([["a"], ["b"]]);
  });

  test("too large: whose caller gave up before its turn came, is not sent", async () => {
    const { log, proposer } = world();
    const large = proposer.propose(kind("x".repeat(2000)));
    const first = proposer.propose(kind());
    const gone = new AbortController();
    const left = proposer.propose(kind(), { signal: gone.signal });
    log.appendMax = 1000;
    await expect(large).rejects.toSatisfy(failure("too-large"));
    await settled();
    gone.abort();
    await expect(left).rejects.toThrow();
    log.appends[0]?.store();
    await first;
    await settled();
    expect(log.appends.map(requestIds)).toEqual([["r2"]]);
  });

  test("request ID: another server's entry brings it, the caller here is answered, and the own copy has no effect", async () => {
    const { log, proposer, machine } = world();
    const outcome = proposer.propose(kind(), { requestId: "same" });
    const other = proposer.propose(kind());
    await settled();
    const others = log.append(encodeEntry(1, [encodeCommand("same", new Uint8Array(16), kind())]));
    log.appends[1]?.store();
    await others;
    expect((await outcome).Index).toBe(1);
    log.appends[0]?.store();
    expect((await other).Index).toBe(2);
    expect(machine.counted).toEqual(["same", "r1"]);
  });

  test("request ID: proposed twice while under way, is one command and both are answered", async () => {
    const { log, proposer } = world();
    const first = proposer.propose(kind(), { requestId: "same" });
    const second = proposer.propose(kind(), { requestId: "same" });
    await settled();
    const third = proposer.propose(kind(), { requestId: "same" });
    await settled();
    log.appends[0]?.store();
    const [a, b, c] = await Promise.all([first, second, third]);
    expect([a, b, c]).toEqual([a, a, a]);
    expect(log.appends.map(requestIds)).toEqual([["same"]]);
  });

  test("unknown outcome: the same bytes are sent again, and both copies have one effect", async () => {
    const { log, clock, proposer, machine } = world();
    const outcome = proposer.propose(kind());
    await settled();
    log.appends[0]?.lose("unknown");
    await clock.advance(1000);
    expect(log.appends.length).toBe(2);
    expect(
      Buffer.compare(log.appends[1]?.payload ?? new Uint8Array(0), log.appends[0]?.payload ?? new Uint8Array(0)),
    ).toBe(0);

    log.appends[0]?.show();
    log.appends[1]?.store();
    expect((await outcome).Index).toBe(1);
    expect(machine.index).toBe(2);
    expect(machine.counted).toEqual(["r1"]);
  });

  test("unknown outcome: the lost copy comes up, is answered and not sent again", async () => {
    const { log, clock, proposer } = world();
    const outcome = proposer.propose(kind());
    await settled();
    log.appends[0]?.lose("unknown");
    await settled();
    log.appends[0]?.show();
    expect((await outcome).Index).toBe(1);
    await clock.advance(20_000);
    expect(log.appends.length).toBe(1);

    const next = proposer.propose(kind());
    await settled();
    expect(requestIds(log.appends[1])).toEqual(["r2"]);
    log.appends[1]?.store();
    await next;
  });

  test("unknown outcome: the acknowledgement hangs and the record comes up, the next entry does not wait", async () => {
    const { log, proposer } = world();
    const first = proposer.propose(kind());
    await settled();
    const second = proposer.propose(kind());
    log.appends[0]?.show();
    await first;
    await settled();
    expect(requestIds(log.appends[1])).toEqual(["r2"]);
    log.appends[1]?.store();
    await second;
  });

  test("unknown outcome: until the deadline, the callers of that entry are told so", async () => {
    const { log, clock, proposer } = world({ timeoutMs: 1000 });
    const end = expect(proposer.propose(kind())).rejects.toSatisfy(failure("outcome-unknown"));
    await settled();
    for (let i = 0; i < 20; i++) {
      log.appends.at(-1)?.lose("unknown");
      await clock.advance(100);
    }
    await end;
    const sent = log.appends.length;
    await clock.advance(10_000);
    expect(log.appends.length).toBe(sent);
  });

  test("log in doubt: a barrier goes first, and what expires meanwhile is refused and never sent", async () => {
    const { log, clock, proposer, machine } = world({ timeoutMs: 1000 });
    const lost = expect(proposer.propose(kind(), { requestId: "lost" })).rejects.toSatisfy(failure("outcome-unknown"));
    await settled();
    await clock.advance(1000);
    await lost;
    log.appends[0]?.lose("unknown");

    const late = expect(proposer.propose(kind(), { requestId: "late" })).rejects.toSatisfy(failure("no-quorum"));
    await clock.advance(500);
    const last = log.appends.at(-1);
    expect(last?.entry.Commands.map(({ Kind }) => Kind?.$case)).toEqual(["Barrier"]);
    const patient = proposer.propose(kind(), { requestId: "patient" });
    await clock.advance(600);
    await late;

    last?.store();
    await settled();
    expect(requestIds(log.appends.at(-1))).toEqual(["patient"]);
    log.appends.at(-1)?.store();
    await patient;
    expect(machine.counted).not.toContain("late");
    expect(log.appends.flatMap(requestIds)).not.toContain("late");
  });

  test("log silent: commands and barriers are refused at once and never sent; taken again when it is heard", async () => {
    const { log, proposer } = world();
    log.silence = 60_000;
    await expect(proposer.propose(kind())).rejects.toSatisfy(failure("no-quorum"));
    await expect(proposer.barrier()).rejects.toSatisfy(failure("no-quorum"));
    log.silence = 0;
    const outcome = proposer.propose(kind(), { requestId: "mine" });
    await settled();
    expect(log.appends.map(requestIds)).toEqual([["mine"]]);
    log.appends[0]?.store();
    await outcome;
  });

  test("log goes silent: what is queued is refused; what was sent is awaited, and a retry of it too", async () => {
    const { log, clock, proposer } = world();
    const sent = proposer.propose(kind(), { requestId: "sent" });
    await settled();
    const queued = expect(proposer.propose(kind())).rejects.toSatisfy(failure("no-quorum"));
    log.silence = 60_000;
    log.appends[0]?.lose("unknown");
    await clock.advance(100);
    await queued;
    const retried = proposer.propose(kind(), { requestId: "sent" });
    log.appends[0]?.show();
    expect(await retried).toEqual(await sent);
  });

  test("log refuses: until the deadline, no quorum; the commands that came later go when it is back", async () => {
    const { log, clock, proposer } = world();
    const short = expect(proposer.propose(kind(), { requestId: "short", timeoutMs: 500 })).rejects.toSatisfy(
      failure("no-quorum"),
    );
    await settled();
    const long = proposer.propose(kind(), { requestId: "long", timeoutMs: 5000 });
    log.appends[0]?.lose("refused");
    log.refusing = true;
    await clock.advance(1000);
    await short;
    log.refusing = false;
    await clock.advance(1000);
    expect(requestIds(log.appends[1])).toEqual(["long"]);
    log.appends[1]?.store();
    await long;
  });

  test("deadline: passes while queued behind other entries, is refused and never sent", async () => {
    const { log, clock, proposer } = world();
    const first = proposer.propose(kind());
    await settled();
    const second = proposer.propose(kind());
    await settled();
    const queued = expect(proposer.propose(kind(), { requestId: "queued", timeoutMs: 100 })).rejects.toSatisfy(
      failure("no-quorum"),
    );
    await clock.advance(100);
    await queued;
    for (const append of log.appends) append.store();
    await Promise.all([first, second]);
    await settled();
    expect(log.appends.length).toBe(2);
  });

  test("deadline: passes after it was stored, the caller is told that it will take effect", async () => {
    const { log, clock, proposer } = world({ timeoutMs: 100 });
    const outcome = expect(proposer.propose(kind())).rejects.toThrow("is stored and will take effect");
    await settled();
    log.appends[0]?.store(false);
    await clock.advance(100);
    await outcome;
  });

  test("deadlines: a later proposal with an earlier one, each is told at its own time", async () => {
    const { clock, proposer } = world();
    const told: string[] = [];
    proposer.propose(kind(), { timeoutMs: 300 }).catch(() => told.push(`long at ${clock.monotonicMs()}`));
    proposer.propose(kind(), { timeoutMs: 100 }).catch(() => told.push(`short at ${clock.monotonicMs()}`));
    await clock.advance(1000);
    expect(told).toEqual(["short at 100", "long at 300"]);
  });

  test("signal: aborts while queued, the command is never sent; the others are", async () => {
    const { log, proposer } = world();
    const stop = new AbortController();
    const first = proposer.propose(kind());
    await settled();
    const gone = proposer.propose(kind(), { requestId: "gone", signal: stop.signal });
    const stays = proposer.propose(kind(), { requestId: "stays" });
    stop.abort(new Error("client went away"));
    await expect(gone).rejects.toThrow("client went away");
    log.appends[0]?.store();
    await first;
    await settled();
    expect(requestIds(log.appends[1])).toEqual(["stays"]);
    log.appends[1]?.store();
    await stays;
  });

  test("signal: one of two callers of a request gives up, the other is answered", async () => {
    const { log, proposer } = world();
    const stop = new AbortController();
    const gone = proposer.propose(kind(), { requestId: "same", signal: stop.signal });
    const stays = proposer.propose(kind(), { requestId: "same" });
    stop.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    await settled();
    log.appends[0]?.store();
    expect((await stays).Index).toBe(1);
  });

  test("barrier: callers share the one that is queued, never one that was sent", async () => {
    const { log, proposer } = world();
    const first = proposer.barrier();
    await settled();
    const second = proposer.barrier();
    const third = proposer.barrier();
    await settled();
    log.appends[0]?.store();
    expect(await first).toBe(1);
    await settled();
    expect(log.appends[1]?.entry.Commands.length).toBe(1);
    log.appends[1]?.store();
    expect(await Promise.all([second, third])).toEqual([2, 2]);
  });

  test("barrier: its only caller gives up before it was sent, the next caller has its own", async () => {
    const { log, proposer } = world();
    const busy = proposer.propose(kind());
    await settled();
    const stop = new AbortController();
    const gone = expect(proposer.barrier(stop.signal)).rejects.toThrow("gone");
    stop.abort(new Error("gone"));
    await gone;
    const stays = proposer.barrier();
    log.appends[0]?.store();
    await busy;
    await settled();
    log.appends[1]?.store();
    expect(await stays).toBe(2);
  });

  test("close: what is under way finishes, new ones are refused", async () => {
    const { log, proposer } = world();
    const first = proposer.propose(kind());
    await settled();
    const second = proposer.propose(kind());
    let closed = false;
    const close = proposer.close().then(() => {
      closed = true;
    });
    await expect(proposer.propose(kind())).rejects.toSatisfy(failure("no-quorum"));
    await expect(proposer.barrier()).rejects.toSatisfy(failure("no-quorum"));
    log.appends[0]?.store();
    await first;
    await settled();
    expect(closed).toBe(false);
    log.appends[1]?.store();
    await second;
    await close;
  });

  test("replica stops: what was sent is unknown, what was queued is refused", async () => {
    const { log, proposer, machine } = world();
    const unknown = () => expect(proposer.propose(kind())).rejects.toSatisfy(failure("outcome-unknown"));
    const sent = [unknown()];
    await settled();
    sent.push(unknown());
    await settled();
    const queued = expect(proposer.propose(kind())).rejects.toSatisfy(failure("no-quorum"));
    machine.apply = () => {
      throw new Error("digest mismatch");
    };
    log.appends[0]?.store();
    await Promise.all(sent);
    await queued;
    await expect(proposer.propose(kind())).rejects.toSatisfy(failure("no-quorum"));
    await settled();
    expect(log.appends.length).toBe(2);
  });
});

describe("proposer over the embedded log", () => {
  async function replica(path: string) {
    const clock = createClock();
    const log = await openEmbeddedLog({ path, logger });
    const machine = new TallyMachine();
    const applier = createApplier({ log, machine, clock, logger });
    const proposer = createProposer({ log, applier, clock, random: createRandom(), logger });
    applier.start();
    const close = async () => {
      await proposer.close();
      await applier.close();
      await log.close();
    };
    return { log, machine, applier, proposer, close };
  }

  test("two thousand proposals, repeats among them, and a restart: each request counts once", async () => {
    const folder = await mkdtemp(join(tmpdir(), "steppe-proposer-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const before = await replica(join(folder, "log.db"));
    const ids = Array.from({ length: 2000 }, (_, i) => `request ${i % 1500}`);
    const outcomes = await Promise.all(ids.map((requestId) => before.proposer.propose(kind(), { requestId })));
    const barrier = await before.proposer.barrier();
    // And the barrier.
    expect(before.machine.counted.length).toBe(1501);
    expect(new Set(before.machine.counted).size).toBe(1501);
    expect(Math.max(...outcomes.map(({ Index }) => Index))).toBeLessThan(barrier);
    await before.close();

    const after = await replica(join(folder, "log.db"));
    onTestFinished(after.close);
    await after.applier.waitFor(barrier);
    expect(after.machine.counted).toEqual(before.machine.counted);
    const again = await after.proposer.propose(kind(), { requestId: "request 7" });
    expect(again).toEqual(outcomes[7]);
    expect(after.machine.counted.length).toBe(1501);
  });
});
