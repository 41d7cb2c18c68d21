const NOBODY = 65_534;

/**
 * Takes root's rights from this process until disposed of, so that permissions bind it; for a process that never had
 * them, nothing changes. Holds for the threads of the file system calls too (`seteuid` of the C library sets all).
 */
export function unprivileged(): Disposable {
  const before = process.geteuid?.();
  if (before !== 0) return { [Symbol.dispose]: () => {} };
  process.seteuid?.(NOBODY);
  return { [Symbol.dispose]: () => process.seteuid?.(before) };
}
