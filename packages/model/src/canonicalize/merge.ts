/**
 * A block from an outer one and an inner one: what the inner sets wins. Undefined when neither
 * exists. The outer is never changed.
 */
export function mergeBlocks<T extends object>(outer: T | undefined, inner: T | undefined): T | undefined {
  if (outer === undefined) return inner;
  const merged = { ...outer };
  if (inner === undefined) return merged;
  for (const key of Object.keys(inner) as (keyof T)[]) {
    if (inner[key] !== undefined) merged[key] = inner[key];
  }
  return merged;
}
