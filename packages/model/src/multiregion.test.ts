import { MultiregionRegion } from "@steppe/proto";
import { describe, expect, test } from "vitest";
import { mockJob } from "./fixtures.ts";
import { copyFor, namesRegions, regionsOf } from "./multiregion.ts";

const eu = { Name: "eu", Count: 3, Datacenters: ["eu-1"], NodePool: "fast", Meta: { where: "eu" } };

function job(count: number) {
  const given = mockJob({ Datacenters: [], NodePool: "default", Meta: { where: "all", who: "me" } });
  for (const group of given.TaskGroups) group.Count = count;
  const Regions = [MultiregionRegion.create({ Name: "us" }), eu];
  return { ...given, Region: "global", Multiregion: { Strategy: undefined, Regions } };
}

describe("a job's copy for a region", () => {
  test("takes the region's datacenters, pool, metadata, and its count where the group's is 0", () => {
    const copy = copyFor(job(0), "eu");
    expect(copy).toMatchObject({ Region: "eu", Datacenters: ["eu-1"], NodePool: "fast" });
    expect(copy?.Meta).toEqual({ where: "eu", who: "me" });
    expect(copy?.TaskGroups.map(({ Count }) => Count)).toEqual([3]);
    expect(copy?.Multiregion).toEqual(job(0).Multiregion);
  });

  test("where the region says nothing, has what the job says", () => {
    const copy = copyFor(job(2), "us");
    expect(copy).toMatchObject({ Region: "us", Datacenters: ["*"], NodePool: "default", Meta: { where: "all" } });
    expect(copy?.TaskGroups.map(({ Count }) => Count)).toEqual([2]);
    expect(copyFor(job(0), "us")?.TaskGroups.map(({ Count }) => Count)).toEqual([1]);
  });

  test("leaves the job itself as it is, and there is none for another region", () => {
    const given = job(0);
    copyFor(given, "eu");
    expect(given).toEqual({ ...job(0), ID: given.ID });
    expect(copyFor(given, "mars")).toBeUndefined();
    expect([namesRegions(given), regionsOf(given), namesRegions(mockJob())]).toEqual([true, ["us", "eu"], false]);
  });
});
