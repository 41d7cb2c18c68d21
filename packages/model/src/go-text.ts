// Values as Go's fmt prints them, for texts that clients match.

/** `%q` of a string. */
export function quote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f])/g, "\\x$1")
    .replaceAll("\u007f", "\\x7f");
}

/** `%q` of a list of strings. */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quote).join(" ")}]`;
}

/** Order of Go strings, by bytes: the order of code points, which UTF-16 order differs from beyond the first plane. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Halves of code points beyond the first plane rank above the last units of it. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
