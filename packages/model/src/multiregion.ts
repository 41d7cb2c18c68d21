import type { Job, MultiregionRegion } from "@steppe/proto";

/** Whether the job names the regions it runs in. */
export function namesRegions({ Multiregion }: Pick<Job, "Multiregion">): boolean {
  return (Multiregion?.Regions.length ?? 0) > 0;
}

/** The names of its regions, in the job's order, which is the order of its rollouts. */
export function regionsOf({ Multiregion }: Pick<Job, "Multiregion">): string[] {
  return (Multiregion?.Regions ?? []).map(({ Name }) => Name);
}

/**
 * The job as one of its regions runs it: with that region's datacenters, node pool and metadata, and
 * its count where a group leaves it at 0. Undefined where the job does not name the region.
 */
export function copyFor(job: Job, region: string): Job | undefined {
  const own = job.Multiregion?.Regions.find(({ Name }) => Name === region);
  return own && inRegion(job, own);
}

function inRegion(job: Job, { Name, Count, Datacenters, NodePool, Meta }: MultiregionRegion): Job {
  const copy = structuredClone(job);
  copy.Region = Name;
  if (Datacenters.length > 0) copy.Datacenters = [...Datacenters];
  else if (copy.Datacenters.length === 0) copy.Datacenters = ["*"];
  copy.NodePool = NodePool || job.NodePool;
  copy.Meta = { ...job.Meta, ...Meta };
  for (const group of copy.TaskGroups) if (group.Count === 0) group.Count = Count ?? 1;
  return copy;
}
