import { describe, expect, it } from "vitest";
import { createDirectory, type Directory } from "./directory.ts";
import { member } from "./testkit.ts";

const HOUR_MS = 3_600_000;

function directoryOfUs(): Directory {
  return createDirectory({ self: member("us-1.us", "us", { Incarnation: 5 }) });
}

const eu1 = (fields = {}) => member("eu-1.eu", "eu", { GrpcPort: 1, Heartbeat: 10, ...fields });
const eu2 = (fields = {}) => member("eu-2.eu", "eu", { GrpcPort: 2, Heartbeat: 10, ...fields });
const statusOf = (directory: Directory, name: string, nowMs: number) =>
  directory.members(nowMs).find((it) => it.Name === name)?.Status;
const names = (directory: Directory, nowMs: number) => directory.servers("eu", nowMs).map((it) => it.name);

describe("directory, liveness", () => {
  it("alone, own region is alive", () => {
    expect(directoryOfUs().regions(0)).toEqual(["us"]);
  });

  it("member whose heartbeat stands still, fails after 5 s and its region goes", () => {
    const directory = directoryOfUs();
    directory.merge([eu1()], 0);

    expect(directory.regions(4_999)).toEqual(["eu", "us"]);
    expect(directory.regions(5_000)).toEqual(["us"]);
    expect(statusOf(directory, "eu-1.eu", 5_000)).toBe("failed");
    expect(directory.servers("eu", 5_000)).toEqual([]);
    expect(directory.missing("eu", 5_000).map((it) => it.address)).toEqual(["127.0.0.1:1"]);
  });

  it("member whose heartbeat moves, stays alive", () => {
    const directory = directoryOfUs();
    for (let second = 0; second < 20; second++) directory.merge([eu1({ Heartbeat: second })], second * 1_000);

    expect(statusOf(directory, "eu-1.eu", 20_000)).toBe("alive");
  });

  it("same heartbeat told again by others, does not keep it alive", () => {
    const directory = directoryOfUs();
    for (let second = 0; second < 20; second++) directory.merge([eu1()], second * 1_000);

    expect(statusOf(directory, "eu-1.eu", 20_000)).toBe("failed");
  });

  it("member that another server calls failed, is judged here alone", () => {
    const directory = directoryOfUs();
    directory.merge([eu1()], 0);
    directory.merge([eu1({ Status: "failed" })], 100);
    directory.merge([eu2({ Status: "failed" })], 100);

    expect(statusOf(directory, "eu-1.eu", 200)).toBe("alive");
    expect(statusOf(directory, "eu-2.eu", 200)).toBe("failed");
  });

  it("failed member whose heartbeat moves again, is alive", () => {
    const directory = directoryOfUs();
    directory.merge([eu1()], 0);
    directory.merge([eu1({ Heartbeat: 11 })], 60_000);

    expect(statusOf(directory, "eu-1.eu", 60_000)).toBe("alive");
  });
});

describe("directory, suspicion", () => {
  it("server whose connection failed, is tried last and its region does not count it", () => {
    const directory = directoryOfUs();
    directory.merge([eu1(), eu2()], 0);
    directory.suspect("eu-1.eu");

    expect(names(directory, 1)).toEqual(["eu-2.eu", "eu-1.eu"]);
    directory.suspect("eu-2.eu");
    expect(directory.regions(1)).toEqual(["us"]);
    expect(directory.servers("eu", 1).some((it) => it.alive)).toBe(false);
  });

  it("suspect whose heartbeat moves, or who answers, is alive again", () => {
    const directory = directoryOfUs();
    directory.merge([eu1(), eu2()], 0);
    for (const name of ["eu-1.eu", "eu-2.eu"]) directory.suspect(name);

    directory.merge([eu1()], 1);
    expect(directory.regions(1)).toEqual(["us"]);
    directory.merge([eu1({ Heartbeat: 11 })], 2);
    expect(statusOf(directory, "eu-1.eu", 2)).toBe("alive");
    directory.heard("eu-2.eu", 2);
    expect(statusOf(directory, "eu-2.eu", 2)).toBe("alive");
  });
});

describe("directory, incarnations", () => {
  it("newer start, replaces address and heartbeat; an older one is ignored", () => {
    const directory = directoryOfUs();
    directory.merge([eu1({ Incarnation: 2, Heartbeat: 100 })], 0);
    directory.merge([eu1({ Incarnation: 3, Heartbeat: 0, GrpcPort: 9 })], 1);
    directory.merge([eu1({ Incarnation: 2, Heartbeat: 200 })], 2);

    expect(directory.servers("eu", 2)).toEqual([{ name: "eu-1.eu", address: "127.0.0.1:9", alive: true }]);
  });

  it("member that left, stays so whatever its heartbeat, until it starts anew", () => {
    const directory = directoryOfUs();
    directory.merge([eu1()], 0);
    directory.merge([eu1({ Status: "left" })], 1);
    directory.merge([eu1({ Heartbeat: 99 })], 2);
    directory.heard("eu-1.eu", 2);

    expect(statusOf(directory, "eu-1.eu", 2)).toBe("left");
    expect([...directory.servers("eu", 2), ...directory.missing("eu", 2)]).toEqual([]);
    directory.merge([eu1({ Incarnation: 2, Heartbeat: 0 })], 3);
    expect(statusOf(directory, "eu-1.eu", 3)).toBe("alive");
  });

  it("own record from a life before, with a clock that ran ahead, is outlived", () => {
    const directory = directoryOfUs();
    directory.merge([member("us-1.us", "us", { Incarnation: 7e18, Heartbeat: 900, Status: "left" })], 0);

    expect(directory.self()).toMatchObject({ Status: "alive" });
    expect(directory.self().Incarnation).toBeGreaterThan(7e18);
  });

  it("own record as others have it, changes nothing", () => {
    const directory = directoryOfUs();
    directory.beat();
    const before = directory.self();
    directory.merge(
      [
        { ...before, Status: "failed" },
        { ...before, Heartbeat: 0 },
      ],
      0,
    );

    expect(directory.self()).toBe(before);
  });

  it("two directories, merging each other's lists in any order, agree", () => {
    const lists = [
      [eu1({ Heartbeat: 12 }), eu2({ Incarnation: 3 })],
      [eu1({ Status: "left", Heartbeat: 11 }), eu2({ Incarnation: 2, Heartbeat: 80 })],
      [eu1({ Heartbeat: 30 }), eu2({ Incarnation: 3, Heartbeat: 14 })],
    ];
    const seen = [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ].map((order) => {
      const directory = directoryOfUs();
      for (const index of order) directory.merge(lists[index] ?? [], 0);
      return directory.members(1).map((it) => [it.Name, it.Status, it.Incarnation]);
    });

    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });
});

describe("directory, leaving and forgetting", () => {
  it("self that left, says so and keeps saying it", () => {
    const directory = directoryOfUs();
    directory.leave();
    directory.merge([{ ...directory.self() }], 0);

    expect(directory.members(0)[0]).toMatchObject({ Name: "us-1.us", Status: "left" });
    expect(directory.servers("us", 0)).toEqual([]);
  });

  it("failed member, is shown for 72 h and not brought back by another server's list", () => {
    const directory = directoryOfUs();
    directory.merge([eu1()], 0);

    expect(statusOf(directory, "eu-1.eu", 71 * HOUR_MS)).toBe("failed");
    directory.merge([eu1({ Status: "failed" })], 73 * HOUR_MS);
    expect(statusOf(directory, "eu-1.eu", 73 * HOUR_MS)).toBeUndefined();
    expect(directory.knows("eu", 73 * HOUR_MS)).toBe(false);
    directory.merge([eu1({ Heartbeat: 11 })], 74 * HOUR_MS);
    expect(statusOf(directory, "eu-1.eu", 74 * HOUR_MS)).toBe("alive");
  });
});
