/**
 * Whether a path below a task's directory leaves the allocation's, however many `..` it has. The
 * task's directory lies one level inside.
 */
export function escapesTask(path: string): boolean {
  let depth = 1;
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    depth += part === ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}
