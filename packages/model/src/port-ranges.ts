export const PORT_MAX = 65535;

const RANGE = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** Ports as in "22,80,8500-8600", both ends included; undefined when the text means none such. */
export function parsePortRanges(text: string): readonly (readonly [from: number, to: number])[] | undefined {
  const ranges: (readonly [number, number])[] = [];
  for (const part of text.split(",").map((it) => it.trim())) {
    if (part === "" && text.trim() === "") continue;
    const match = RANGE.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || from > to || to > PORT_MAX) return undefined;
    ranges.push([from, to]);
  }
  return ranges;
}
