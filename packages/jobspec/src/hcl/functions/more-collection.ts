import { equal, sortedKeys, toInteger, toList, toObject, toText, type Value } from "../value.ts";
import { type FunctionTable, MANY, refuse, taking } from "./function.ts";

export const MORE_COLLECTION_FUNCTIONS: FunctionTable = {
  chunklist: taking(2, 2, (list = null, size = null) => {
    const [items, step] = [toList(list), toInteger(size)];
    if (step < 1) return refuse("the size must be at least 1");
    return Array.from({ length: Math.ceil(items.length / step) }, (_, i) => items.slice(i * step, (i + 1) * step));
  }),
  coalescelist: taking(1, MANY, (...lists) => lists.map(toList).find((list) => list.length > 0) ?? []),
  compact: taking(1, 1, (list = null) => toList(list).filter((item) => item !== null && item !== "")),
  index: taking(2, 2, (list = null, value = null) => {
    const at = toList(list).findIndex((item) => equal(item, value));
    return at < 0 ? refuse("the value is not in the list") : at;
  }),
  setunion: taking(1, MANY, (...sets) => unique(sets.flatMap((set) => [...toList(set)]))),
  setintersection: taking(1, MANY, (first = null, ...others) =>
    unique(toList(first)).filter((item) => others.every((set) => toList(set).some((other) => equal(other, item)))),
  ),
  setsubtract: taking(2, 2, (set = null, without = null) =>
    unique(toList(set)).filter((item) => !toList(without).some((other) => equal(other, item))),
  ),
  sethaselement: taking(2, 2, (set = null, value = null) => toList(set).some((item) => equal(item, value))),
  setproduct: taking(2, MANY, (...sets) => product(sets.map(toList))),
  zipmap: taking(2, 2, (names = null, values = null) => {
    const [keys, items] = [toList(names), toList(values)];
    if (keys.length !== items.length) return refuse(`${keys.length} keys and ${items.length} values`);
    return Object.fromEntries(keys.map((key, i) => [toText(key), items[i] ?? null]));
  }),
  transpose: taking(1, 1, (map = null) => {
    const result = new Map<string, Value[]>();
    for (const key of sortedKeys(toObject(map))) {
      for (const item of toList(toObject(map)[key] ?? [])) {
        result.set(toText(item), [...(result.get(toText(item)) ?? []), key]);
      }
    }
    return Object.fromEntries(result);
  }),
  csvdecode: taking(1, 1, (text = null) => csv(toText(text))),
};

const PRODUCT_MAX = 100_000;

function product(sets: readonly (readonly Value[])[]): Value {
  const size = sets.reduce((count, set) => count * set.length, 1);
  if (size > PRODUCT_MAX) return refuse(`more than ${PRODUCT_MAX} items`);
  return sets.reduce<Value[][]>((rows, set) => rows.flatMap((row) => set.map((item) => [...row, item])), [[]]);
}

function unique(items: readonly Value[]): Value[] {
  return items.filter((item, i) => items.findIndex((other) => equal(other, item)) === i);
}

/** Rows by the names of the first one. Quoted fields may hold commas, quotes written twice, and lines. */
function csv(text: string): Value {
  const rows: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (field.lastIndex < text.length) {
    const found = field.exec(text);
    if (found === null) return refuse("malformed CSV");
    const [, quoted, plain = "", end] = found;
    (rows.at(-1) as string[]).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "," && field.lastIndex === text.length) (rows.at(-1) as string[]).push("");
    else if (end !== "," && field.lastIndex < text.length) rows.push([]);
  }
  const [names = [], ...records] = rows;
  if (records.some((record) => record.length !== names.length)) return refuse("a row of another length than the first");
  return records.map((record) => Object.fromEntries(names.map((name, i) => [name, record[i] ?? ""])));
}
