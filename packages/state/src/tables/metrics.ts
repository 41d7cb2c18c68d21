import type { AllocMetric } from "@steppe/proto";
import type { NodeTable } from "./nodes.ts";
import type { SharedParts } from "./shared-parts.ts";

/** The metrics of a plan as its allocations keep them: a small job has one for a few allocations. */
export function keptMetrics(
  { nodes, parts }: { readonly nodes: NodeTable; readonly parts: SharedParts },
  metrics: AllocMetric | undefined,
): AllocMetric | undefined {
  if (metrics === undefined) return undefined;
  const ScoreMetaData = metrics.ScoreMetaData.map((it) => ({ ...it, NodeID: nodes.get(it.NodeID)?.ID ?? it.NodeID }));
  const kept = { ...metrics, ScoreMetaData };
  parts.ofMetrics(kept);
  return kept;
}
