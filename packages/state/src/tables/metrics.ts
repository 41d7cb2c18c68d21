import type { AllocMetric } from "@steppe/proto";
import type { NodeTable } from "./nodes.ts";
import type { TextPool } from "./text-pool.ts";

/**
 * The metrics of a plan as its allocations keep them: a small job has one for a few allocations.
 * Without empty lists and maps of their own, and with the texts that the state has already.
 */
export function keptMetrics(
  { nodes, texts }: { readonly nodes: NodeTable; readonly texts: TextPool },
  metrics: AllocMetric | undefined,
): AllocMetric | undefined {
  if (metrics === undefined) return undefined;
  return {
    ...metrics,
    NodePool: texts.of(metrics.NodePool),
    NodesAvailable: orNone(metrics.NodesAvailable),
    ClassFiltered: orNone(metrics.ClassFiltered),
    ConstraintFiltered: orNone(metrics.ConstraintFiltered),
    ClassExhausted: orNone(metrics.ClassExhausted),
    DimensionExhausted: orNone(metrics.DimensionExhausted),
    QuotaExhausted: metrics.QuotaExhausted.length === 0 ? NONE : metrics.QuotaExhausted,
    ResourcesExhausted: orNone(metrics.ResourcesExhausted),
    Scores: orNone(metrics.Scores),
    ScoreMetaData: metrics.ScoreMetaData.map((it) => ({ ...it, NodeID: nodes.get(it.NodeID)?.ID ?? it.NodeID })),
  };
}

function orNone<T>(counts: Record<string, T>): Record<string, T> {
  for (const _ in counts) return counts;
  return NOTHING;
}

const NOTHING: Record<string, never> = Object.freeze({});
const NONE: string[] = [];
Object.freeze(NONE);
