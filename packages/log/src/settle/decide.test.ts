import { describe, expect, test } from "vitest";
import { judge, type LogSight, mostAdvanced, nextMove, type Position, type Report } from "./decide.ts";

const FIRST = { epoch: 0, id: "", base: 0 };
const SECOND = { epoch: 1, id: "a", base: 50 };

const own = (last: number, crc: number | undefined = 7, identity: Position["identity"] = FIRST): Position => ({
  identity,
  last,
  mark: crc === undefined ? undefined : { index: last, crc },
});
const NOTHING: Position = { identity: undefined, last: 0, mark: undefined };
const log = (last: number, crc: number | undefined = 7, identity = FIRST): LogSight => ({
  identity,
  first: identity.base + 1,
  last,
  mark: crc === undefined ? undefined : { index: 0, crc },
});

describe("what a server's copy and the log say about each other", () => {
  test.each<[string, Position, LogSight | undefined, string]>([
    ["nothing held and no log", NOTHING, undefined, "new"],
    ["nothing held", NOTHING, log(10), "follow"],
    ["the log goes further", own(10), log(20), "follow"],
    ["the log ends where the copy does", own(10), log(10), "follow"],
    ["only a snapshot holds the last entry", own(10, undefined), log(10), "follow"],
    ["the log was cut past the copy", own(10), { ...log(90, undefined), first: 60 }, "follow"],
    ["the log lost its tail", own(10), log(9, undefined), "lost"],
    ["the log was made anew empty", own(10), log(0, undefined), "lost"],
    ["the log is gone", own(10), undefined, "lost"],
    ["the log holds another record", own(10, 7), log(12, 8), "lost"],
    ["the log was rebuilt", own(50), log(60, undefined, SECOND), "adopt"],
    ["the log is an older one", own(60, 7, SECOND), log(99), "lost"],
    ["the log has the same epoch and is another", own(60, 7, SECOND), log(99, 7, { ...SECOND, id: "b" }), "lost"],
    ["the log has another base", own(10), log(99, 7, { ...FIRST, base: 4 }), "lost"],
  ])("%s: %s", (_, position, sight, kind) => {
    expect(judge(position, sight).kind).toBe(kind);
  });

  test("a log rebuilt without some entries, tells how many", () => {
    expect(judge(own(57), log(60, undefined, SECOND))).toEqual({ kind: "adopt", orphans: 7 });
    expect(judge(own(40), log(60, undefined, SECOND))).toEqual({ kind: "adopt", orphans: 0 });
  });
});

const report = (name: string, position: Position): Report => ({ name, position });

describe("who rebuilds", () => {
  test("the larger epoch, then the furthest, then the first by name", () => {
    const reports = [report("c", own(90)), report("b", own(60, 7, SECOND)), report("a", own(60, 7, SECOND))];
    expect(mostAdvanced(reports)?.name).toBe("a");
    expect(mostAdvanced([...reports, report("d", own(61, 7, SECOND))])?.name).toBe("d");
    expect(mostAdvanced([report("x", NOTHING), report("y", own(1))])?.name).toBe("y");
  });

  test("all that have the same reports, name the same one", () => {
    const reports = [report("a", own(9)), report("b", own(12)), report("c", own(12))];
    const moves = reports.map(
      (it) =>
        nextMove(
          it,
          reports.filter((other) => other !== it),
          3,
          false,
        ).kind,
    );
    expect(moves).toEqual(["wait", "rebuild", "wait"]);
  });

  test.each<[string, Position, Position[], number | undefined, string, boolean]>([
    ["too few hold a journal", own(9), [own(8)], 3, "wait", true],
    ["one that holds nothing does not count", own(9), [own(8), NOTHING], 3, "wait", true],
    ["no quorum configured", own(9), [own(8), own(7)], undefined, "wait", true],
    ["one server of one", own(9), [], 1, "rebuild", false],
    ["nothing anywhere, no quorum configured", NOTHING, [], undefined, "create", false],
    ["nothing anywhere, not all there", NOTHING, [NOTHING], 3, "wait", false],
    ["nothing anywhere, all there", NOTHING, [NOTHING, NOTHING], 3, "create", false],
    ["nothing here, something elsewhere", NOTHING, [own(9)], 2, "wait", true],
  ])("%s", (_, position, others, quorum, kind, operator) => {
    const rest = others.map((it, n) => report(`other-${n}`, it));
    const move = nextMove(report("first", position), rest, quorum, false);
    expect(move.kind).toBe(kind);
    if (move.kind === "wait") expect(move.operator).toBe(operator);
  });

  test.each<[string, Position[], string, boolean]>([
    ["one that was heard to hold more is not there", [own(12)], "wait", true],
    ["one that was heard to hold less is not there", [own(7)], "rebuild", false],
    ["one that was heard to be of a later log is not there", [own(5, 7, SECOND)], "wait", true],
  ])("%s: %s", (_, known, kind, operator) => {
    const rest = [report("other-0", own(8))];
    const heard = known.map((it, n) => report(`known-${n}`, it));
    const move = nextMove(report("first", own(9)), rest, 2, false, heard);
    expect(move.kind).toBe(kind);
    if (move.kind === "wait") expect(move).toMatchObject({ operator, why: expect.stringContaining("known-0") });
    // What it says now counts, not what it was heard to say before.
    expect(nextMove(report("first", own(9)), rest, 2, false, [report("other-0", own(12))]).kind).toBe("rebuild");
  });

  test("an operator asked, rebuilds whoever is there", () => {
    expect(nextMove(report("a", own(9)), [], 3, true).kind).toBe("rebuild");
  });
});
