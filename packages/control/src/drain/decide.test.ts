import { mockJob, mockNode } from "@steppe/model/internal";
import { DisconnectStrategy, type Job } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { silentStatus } from "../heartbeat/decide.ts";
import { decideDrains } from "./decide.ts";

const NOW = 1e18;
const DRAINED = "node-a";

interface Shape {
  readonly count: number;
  readonly maxParallel: number;
  /** Health of each allocation, on the drained node and elsewhere: h(ealthy), u(nhealthy), ?, or m(arked). */
  readonly here: string;
  readonly elsewhere: string;
}

function viewOf({ count, maxParallel, here, elsewhere }: Shape, forceDeadline = 0) {
  const job = mockJob({ ID: "web" });
  for (const group of job.TaskGroups) {
    group.Count = count;
    if (group.Migrate !== undefined) group.Migrate.MaxParallel = maxParallel;
  }
  const all = [...here].map((it, n) => allocationOf(job, it, n, DRAINED));
  all.push(...[...elsewhere].map((it, n) => allocationOf(job, it, here.length + n, "node-b")));
  const strategy = { Deadline: forceDeadline, IgnoreSystemJobs: false, ForceDeadline: forceDeadline, StartedAt: 1 };
  const node = { ...mockNode({ ID: DRAINED }), DrainStrategy: strategy };
  const jobView = { job, allocations: new Set(all) };
  return {
    nodes: {
      get: (id: string) => (id === DRAINED ? node : undefined),
      allocationsOf: (id: string) => new Set(all.filter(({ NodeID }) => NodeID === id)),
    },
    jobs: { get: () => jobView },
  } as never;
}

function allocationOf(job: Job, health: string, n: number, NodeID: string) {
  const Healthy = { h: true, m: true, u: false }[health];
  return {
    ...{ ID: `${n}`, NameIndex: n, NodeID, Job: job, JobID: job.ID, Namespace: "default", TaskGroup: "web" },
    ...{ terminal: false, clientTerminal: false, ClientStatus: "running", Migrate: health === "m" },
    DeploymentStatus: { Healthy },
  };
}

const migrated = (shape: Shape, deadline = 0) => decideDrains(viewOf(shape, deadline), [DRAINED], NOW).migrate;

describe("drain pace: min(candidates, healthy - (count - max_parallel))", () => {
  test.each([
    ["all healthy, one at a time", 4, 1, "hh", "hh", ["0"]],
    ["all healthy, two at a time", 4, 2, "hhh", "h", ["0", "1"]],
    ["more at a time than there are", 4, 9, "hh", "hh", ["0", "1"]],
    ["one is on its way", 4, 1, "mh", "hh", []],
    ["its replacement is not judged yet", 4, 1, "h", "hh?", []],
    ["its replacement is healthy", 4, 1, "h", "hhh", ["0"]],
    ["more healthy than the count", 2, 1, "hh", "h", ["0", "1"]],
    ["none at a time", 2, 0, "h", "h", []],
    ["an unhealthy one keeps nothing up", 4, 1, "hu", "h?", ["1"]],
    ["one that nobody judged yet is waited for", 4, 1, "?", "hhh", []],
  ])("%s", (_, count, maxParallel, here, elsewhere, expected) => {
    expect(migrated({ count, maxParallel, here, elsewhere })).toEqual(expected);
  });

  test("the deadline has come, or does within five seconds of another's: everything", () => {
    const shape = { count: 4, maxParallel: 1, here: "hh?", elsewhere: "hh" };
    expect(migrated(shape, NOW)).toEqual(["0", "1", "2"]);
    expect(migrated(shape, NOW + 1e9)).toEqual(["0"]);
  });
});

test("a node that falls silent: disconnected while something on it may survive that", () => {
  const job = mockJob();
  const on = (ClientStatus: string, LostAfter: number | undefined, terminal = false) => {
    const groups = job.TaskGroups.map((it) => ({ ...it, Disconnect: DisconnectStrategy.create({ LostAfter }) }));
    const allocation = { ClientStatus, TaskGroup: "web", Job: { ...job, TaskGroups: groups }, terminal };
    return silentStatus({ allocationsOf: () => new Set([allocation as never]) }, "n");
  };
  expect([on("running", 60e9), on("unknown", 60e9)]).toEqual(["disconnected", "disconnected"]);
  expect([on("pending", 60e9), on("running", undefined), on("running", 60e9, true)]).toEqual(["down", "down", "down"]);
});
