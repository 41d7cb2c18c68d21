/** Whether a datacenter is one of the job's. In patterns `*` stands for any text, also none; no pattern at all means anywhere. */
export function inDatacenters(patterns: readonly string[], datacenter: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesGlob(pattern, datacenter));
}

/** Takes the earliest place for each part between stars, which finds a match when there is one. */
export function matchesGlob(pattern: string, text: string): boolean {
  const parts = pattern.split("*");
  const first = parts.shift() as string;
  const last = parts.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
