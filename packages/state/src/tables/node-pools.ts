import { NodePool } from "@steppe/proto";

/** All nodes are in it. */
export const ALL_NODES = "all";
/** Nodes and jobs that name no pool are in it. */
export const DEFAULT_POOL = "default";

/** Node pools by name. Objects are never changed in place. */
export class NodePoolTable {
  readonly byName: Map<string, NodePool> = new Map(BUILT_IN.map((pool) => [pool.Name, pool]));

  get(name: string): NodePool | undefined {
    return this.byName.get(name);
  }

  put(pool: NodePool): void {
    this.byName.set(pool.Name, pool);
  }

  remove(name: string): void {
    this.byName.delete(name);
  }

  /** Those that a new table does not have. */
  changed(): NodePool[] {
    return [...this.byName.values()].filter((it) => !BUILT_IN.includes(it));
  }
}

export function isBuiltInPool(name: string): boolean {
  return name === ALL_NODES || name === DEFAULT_POOL;
}

/** There before the first entry. */
const BUILT_IN: readonly NodePool[] = [
  builtIn(ALL_NODES, "Node pool with all nodes in the cluster."),
  builtIn(DEFAULT_POOL, "Default node pool."),
];

function builtIn(Name: string, Description: string): NodePool {
  return Object.freeze({ ...NodePool.create(), Name, Description, CreateIndex: 1, ModifyIndex: 1 });
}
