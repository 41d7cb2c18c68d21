import { copyFor, type RegionServices, regionsOf, SteppeError } from "@steppe/model";
import { mockJob } from "@steppe/model/internal";
import {
  AllocationUpdate,
  type Job,
  JobRegisterResponse,
  type JobRolloutResponse,
  MultiregionRegion,
  OwedCopies,
  RegisterJob,
} from "@steppe/proto";
import { schedule } from "@steppe/scheduler";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../testing/cluster.ts";
import { rolloutStatus } from "./own-part.ts";

const NAMES = ["us", "eu", "asia"];

function job(version: string, onFailure = ""): Job {
  const given = mockJob({ ID: "web", Meta: { version } });
  for (const group of given.TaskGroups) {
    group.Count = 2;
    Object.assign(group.Update ?? {}, { MaxParallel: 2, AutoRevert: true, ProgressDeadline: 0 });
  }
  const Regions = NAMES.map((Name) => MultiregionRegion.create({ Name }));
  return { ...given, Multiregion: { Strategy: { MaxParallel: 1, OnFailure: onFailure }, Regions } };
}

/** Three led regions with the real scheduler, joined as servers join them; nodes report what `health` says. */
async function world(health: (region: string, version: string | undefined) => boolean) {
  const clusters = new Map(NAMES.map((name) => [name, new TestCluster()]));
  const cut = new Set<string>();
  const of = (name: string) => clusters.get(name) as TestCluster;
  const route = (name: string) => {
    if (cut.has(name)) {
      const gone = async () => Promise.reject(new SteppeError("no-path-to-region", "No path to region"));
      return { jobs: { takeCopy: gone, rollout: gone } } as unknown as RegionServices;
    }
    const takeCopy = async ({ Owed }: { Owed: OwedCopies }) => {
      const Register = { ...RegisterJob.create(), Job: copyFor(Owed.Job as Job, name) };
      const value = { Register, Rollout: Owed.Rollout, First: false, Owed: undefined };
      await of(name).write({ $case: "RegisterCopy", value });
      return JobRegisterResponse.create();
    };
    const rollout = async (): Promise<JobRolloutResponse> => ({
      ...rolloutStatus(of(name).client.view, "default/web"),
      Meta: undefined,
    });
    return { jobs: { takeCopy, rollout } } as unknown as RegionServices;
  };
  for (const [name, cluster] of clusters) {
    cluster.server(`${name}-1`, { heartbeat: { ttlMinMs: 1e9, failoverMs: 1e9 } }, { route, region: name });
    cluster.worker(`${name}-w`, {
      schedule: (evaluation, _, member) =>
        schedule(member.view, evaluation, { now: member.clock.wallNs(), random: member.random }),
    });
    await cluster.region.clock.advance(1_000);
    await cluster.nodes(4);
  }
  const report = async (name: string) => {
    const live = [...(of(name).client.view.jobs.get("default", "web")?.allocations ?? [])].filter((it) => !it.terminal);
    const open = live.filter((it) => it.DeploymentStatus?.Healthy === undefined);
    const Updates = open.map((it) => {
      const Healthy = health(name, it.Job.Meta.version);
      const DeploymentStatus = { Healthy, Timestamp: 0, Canary: false, ModifyIndex: 0 };
      const ClientStatus = Healthy ? "running" : "failed";
      return AllocationUpdate.create({ ID: it.ID, ClientStatus, DeploymentID: it.DeploymentID, DeploymentStatus });
    });
    if (Updates.length > 0) await of(name).write({ $case: "UpdateAllocations", value: { Updates } });
  };
  /** All statuses that were seen together on the way. */
  const seen: string[][] = [];
  const statuses = () =>
    NAMES.map((name) => of(name).client.view.deployments.latest("default", "web")?.deployment.Status);
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n++) {
      for (const name of NAMES) await report(name);
      for (const cluster of clusters.values()) await cluster.region.clock.advance(1_000);
      seen.push(statuses().map((it) => it ?? "none"));
    }
  };
  const register = async (name: string, given: Job) => {
    const Regions = regionsOf(given).filter((it) => it !== name);
    const Owed = OwedCopies.create({ Namespace: "default", JobID: "web", Regions, Job: given });
    const Register = { ...RegisterJob.create(), Job: copyFor(given, name) };
    const value = { Register, Rollout: of(name).client.clock.wallNs(), First: true, Owed };
    await of(name).write({ $case: "RegisterCopy", value });
  };
  return { of, cut, pass, statuses, seen, register };
}

describe("a rollout over three regions", () => {
  test("one at a time, ends well in all", async () => {
    const it = await world(() => true);
    await it.register("us", job("a"));
    await it.pass(60);
    expect(it.statuses()).toEqual(["successful", "successful", "successful"]);
    for (const now of it.seen) expect(now.filter((status) => status === "running").length).toBeLessThan(2);
    expect(it.seen.some(([us, eu]) => us === "blocked" && eu === "running")).toBe(true);
    expect(it.of("us").client.view.owed.byJob.size).toBe(0);
    for (const name of NAMES) expect(it.of(name).live("web")).toBe(2);
  });

  test("a region is cut off: held back alone, owed its copy, which it gets when it is back", async () => {
    const it = await world(() => true);
    it.cut.add("eu");
    await it.register("us", job("a"));
    await it.pass(90);
    expect(it.statuses()).toEqual(["successful", undefined, "successful"]);
    expect(it.of("us").client.view.owed.get("default", "web")?.Regions).toEqual(["eu"]);
    it.cut.delete("eu");
    await it.pass(60);
    expect(it.statuses()).toEqual(["successful", "successful", "successful"]);
    expect(it.of("us").client.view.owed.byJob.size).toBe(0);
  });

  test("the second region fails: it and the third go back, and no rollback waits for a region", async () => {
    const it = await world((region, version) => region !== "eu" || version === "a");
    await it.register("us", job("a"));
    await it.pass(60);
    await it.register("us", job("b"));
    await it.pass(90);
    expect(it.statuses()).toEqual(["blocked", "successful", "successful"]);
    const blocked = it.of("us").client.view.deployments.latest("default", "web")?.deployment.ID ?? "";
    await it.of("us").write({ $case: "UnblockDeployment", value: { DeploymentID: blocked } });
    await it.pass(2);
    expect(it.statuses()[0]).toBe("successful");
  });

  test("fail_all: all regions go back to the version before", async () => {
    const it = await world((region, version) => region !== "eu" || version === "a");
    await it.register("us", job("a", "fail_all"));
    await it.pass(60);
    await it.register("us", job("b", "fail_all"));
    await it.pass(90);
    expect(it.statuses()).toEqual(["successful", "successful", "successful"]);
    for (const name of NAMES) {
      expect(it.of(name).client.view.jobs.get("default", "web")?.job).toMatchObject({
        Version: 2,
        Meta: { version: "a" },
      });
    }
  });

  test("a node is lost while a region waits: what it ran is replaced, by the version that ran", async () => {
    const it = await world((region, version) => version === "a" || region !== "us");
    await it.register("us", job("a"));
    await it.pass(60);
    const slow = job("b");
    it.cut.add("us");
    await it.register("eu", slow);
    await it.pass(3);
    const eu = it.of("eu");
    expect(it.statuses()[1]).toBe("pending");
    const lost = [...(eu.client.view.jobs.get("default", "web")?.allocations ?? [])].find((a) => !a.terminal);
    const NodeIDs = [lost?.NodeID ?? ""];
    await eu.write({ $case: "UpdateNodeStatus", value: { NodeIDs, Status: "down", Message: "gone", Term: 0 } });
    await it.pass(2);
    expect(it.statuses()[1]).toBe("pending");
    const live = [...(eu.client.view.jobs.get("default", "web")?.allocations ?? [])].filter((a) => !a.terminal);
    expect(live.map(({ Job, NodeID }) => [Job.Meta.version, NodeIDs.includes(NodeID)])).toEqual([
      ["a", false],
      ["a", false],
    ]);
  });
});
