/** The pool that every node belongs to besides its own. */
const ALL = "all";

/** Whether a node takes jobs of a pool. A node or job that names none means the default one. */
export function inPool(jobPool: string, nodePool: string): boolean {
  return jobPool === ALL || (jobPool || "default") === (nodePool || "default");
}
