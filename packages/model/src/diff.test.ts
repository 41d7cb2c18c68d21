import { Job } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { canonicalizeJob } from "./canonicalize/index.ts";
import { groupUpdate, specChanged } from "./diff.ts";
import { mockJob } from "./fixtures.ts";
import { fromJson, toJson } from "./json.ts";

type Group = Job["TaskGroups"][number];
type Task = Group["Tasks"][number];
type Change = (job: Job, group: Group, task: Task) => unknown;

const base = (): Job =>
  mockJob({
    ParameterizedJob: { Payload: "optional" },
    TaskGroups: [
      {
        Name: "web",
        Count: 2,
        Networks: [{ DynamicPorts: [{ Label: "http" }] }],
        Services: [{ Name: "s", PortLabel: "http" }],
        Scaling: { Max: 5 },
        Tasks: [
          { Name: "web", Driver: "exec", Config: { a: { b: [1] } }, Templates: [{ EmbeddedTmpl: "x", DestPath: "y" }] },
        ],
      },
    ],
  });

function changed(change: Change): Job {
  const job = base();
  const group = job.TaskGroups[0] as Group;
  change(job, group, group.Tasks[0] as Task);
  return job;
}

function moveMetaInwards(job: Job, group: Group): void {
  group.Meta = job.Meta;
  job.Meta = {};
}

function updateOf(change: Change): string {
  const [a, b] = [base(), changed(change)];
  return groupUpdate(a.TaskGroups[0] as Group, b.TaskGroups[0] as Group, a, b);
}

describe("specChanged", () => {
  it.each<[string, Change]>([
    ["nothing", () => undefined],
    ["status", (job) => (job.Status = "dead")],
    [
      "indexes",
      (job) => Object.assign(job, { CreateIndex: 7, ModifyIndex: 8, JobModifyIndex: 9, Version: 3, SubmitTime: 5 }),
    ],
    ["stable", (job) => (job.Stable = true)],
    ["version tag", (job) => (job.VersionTag = { Name: "a", Description: "", TaggedTime: 0 })],
    ["tokens that are never stored", (job) => (job.VaultToken = "s")],
    ["id of a scaling policy", (_, group) => ((group.Scaling as { ID: string }).ID = "x")],
    ["order of keys", (job) => (job.Meta = { ...job.Meta })],
  ])("%s: no change", (_, change) => {
    expect(specChanged(base(), changed(change))).toBe(false);
  });

  it.each<[string, Change]>([
    ["stop", (job) => (job.Stop = true)],
    ["count", (_, group) => (group.Count = 3)],
    ["meta", (job) => (job.Meta = { other: "x" })],
    ["deep in the config", (_, __, task) => (task.Config = { a: { b: [2] } })],
    ["payload", (job) => (job.Payload = new Uint8Array([1]))],
    ["a group more", (job, group) => job.TaskGroups.push(group)],
    ["a block less", (_, group) => (group.Update = undefined)],
  ])("%s: changed", (_, change) => {
    expect(specChanged(base(), changed(change))).toBe(true);
  });

  it("an empty free-form object for an absent one: no change", () => {
    const config = (Config: object | undefined): Job => changed((_, __, task) => Object.assign(task, { Config }));
    expect(specChanged(config({}), config(undefined))).toBe(false);
  });

  it("a job sent back as it was shown: no change", () => {
    const job = base();
    const again = fromJson<Job>("Job", JSON.parse(toJson("Job", job)));
    canonicalizeJob(again, { region: "global" });
    expect(specChanged(job, again)).toBe(false);
    expect(specChanged(job, Job.decode(Job.encode(job).finish()))).toBe(false);
  });
});

describe("groupUpdate", () => {
  it.each<[string, Change]>([
    ["count", (_, group) => (group.Count = 3)],
    ["constraints", (job) => (job.Constraints = [])],
    ["update block", (_, group) => ((group.Update as { Canary: number }).Canary = 1)],
    ["restart policy", (_, group) => ((group.RestartPolicy as { Attempts: number }).Attempts = 9)],
    ["kill timeout", (_, __, task) => (task.KillTimeout = 7e9)],
    ["log sizes", (_, __, task) => ((task.LogConfig as { MaxFiles: number }).MaxFiles = 2)],
    ["ordinary services", (_, group) => (group.Services = [])],
    ["priority", (job) => (job.Priority = 70)],
    ["a placed port's value", (_, group) => ((group.Networks[0]?.DynamicPorts[0] as { Value: number }).Value = 23000)],
    ["meta moved to another level", moveMetaInwards],
  ])("%s: in place", (_, change) => {
    expect(updateOf(change)).toBe("in-place");
  });

  it.each<[string, Change]>([
    ["a task more", (_, group, task) => group.Tasks.push({ ...task, Name: "b" })],
    ["another task name", (_, __, task) => (task.Name = "b")],
    ["disk", (_, group) => ((group.EphemeralDisk as { SizeMB: number }).SizeMB = 999)],
    ["network mode", (_, group) => ((group.Networks[0] as { Mode: string }).Mode = "bridge")],
    ["a port's label", (_, group) => ((group.Networks[0]?.DynamicPorts[0] as { Label: string }).Label = "x")],
    [
      "volumes",
      (_, group) =>
        (group.Volumes = {
          v: {
            Name: "v",
            Type: "host",
            Source: "s",
            ReadOnly: false,
            Sticky: false,
            AccessMode: "",
            AttachmentMode: "",
            MountOptions: undefined,
            PerAlloc: false,
          },
        }),
    ],
    ["affinities", (job) => (job.Affinities = [{ LTarget: "a", RTarget: "b", Operand: "=", Weight: 5 }])],
    ["spreads", (job) => (job.Spreads = [{ Attribute: "a", Weight: 5, SpreadTarget: [] }])],
    ["driver", (_, __, task) => (task.Driver = "docker")],
    ["user", (_, __, task) => (task.User = "x")],
    ["config", (_, __, task) => (task.Config = {})],
    ["env", (_, __, task) => (task.Env = { A: "b" })],
    ["templates", (_, __, task) => (task.Templates = [])],
    [
      "artifacts",
      (_, __, task) =>
        task.Artifacts.push({
          GetterSource: "x",
          GetterOptions: {},
          GetterHeaders: {},
          GetterInsecure: false,
          Chown: false,
        }),
    ],
    ["meta of the job", (job) => (job.Meta = { owner: "other" })],
    ["cpu", (_, __, task) => ((task.Resources as { CPU: number }).CPU = 999)],
    ["memory", (_, __, task) => ((task.Resources as { MemoryMB: number }).MemoryMB = 999)],
    [
      "identities",
      (_, __, task) =>
        (task.Identity = {
          Name: "default",
          Audience: ["a"],
          ChangeMode: "",
          ChangeSignal: "",
          Env: false,
          File: false,
          Filepath: "",
          ServiceName: "",
          TTL: 0,
          ExtraClaims: [],
        }),
    ],
    ["logs disabled", (_, __, task) => ((task.LogConfig as { Disabled: boolean }).Disabled = true)],
  ])("%s: destructive", (_, change) => {
    expect(updateOf(change)).toBe("destructive");
  });

  it("the same specification at another version: nothing to do", () => {
    expect(updateOf((job) => (job.Version = 9))).toBe("none");
  });
});
