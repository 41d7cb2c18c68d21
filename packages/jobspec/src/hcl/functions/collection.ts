import {
  describe,
  equal,
  isList,
  isObject,
  sortedKeys,
  toInteger,
  toList,
  toNumber,
  toObject,
  toText,
  type Value,
} from "../value.ts";
import { type FunctionTable, MANY, refuse, taking } from "./function.ts";

// A range is made before anyone can look at it; a hundred thousand items is beyond any job file.
const RANGE_LENGTH_MAX = 100_000;

export const COLLECTION_FUNCTIONS: FunctionTable = {
  length: taking(1, 1, (value = null) => {
    if (isList(value)) return value.length;
    if (isObject(value)) return Object.keys(value).length;
    return typeof value === "string"
      ? [...value].length
      : refuse(`expected a list, an object or a string, got ${describe(value)}`);
  }),
  concat: taking(1, MANY, (...lists) => lists.flatMap((list) => [...toList(list)])),
  contains: taking(2, 2, (list = null, value = null) => toList(list).some((item) => equal(item, value))),
  distinct: taking(1, 1, (list = null) => distinct(toList(list))),
  toset: taking(1, 1, (list = null) => distinct(toList(list)).toSorted(order)),
  flatten: taking(1, 1, (list = null) => flatten(toList(list))),
  reverse: taking(1, 1, (list = null) => toList(list).toReversed()),
  sort: taking(1, 1, (list = null) => toList(list).map(toText).sort()),
  element: taking(2, 2, (list = null, index = null) => {
    const items = toList(list);
    if (items.length === 0) return refuse("the list is empty");
    // Wraps round; negative indexes too.
    return items[((toInteger(index) % items.length) + items.length) % items.length] ?? null;
  }),
  slice: taking(3, 3, (list = null, start = null, end = null) => {
    const [items, from, to] = [toList(list), toInteger(start), toInteger(end)];
    if (from < 0 || to < from || to > items.length)
      return refuse(`from ${from} to ${to} is outside the list of ${items.length}`);
    return items.slice(from, to);
  }),
  range: taking(1, 3, range),
  coalesce: taking(1, MANY, (...values) => values.find((value) => value !== null) ?? refuse("every argument is null")),
  merge: taking(0, MANY, (...objects) =>
    Object.fromEntries(objects.flatMap((each) => (each === null ? [] : Object.entries(toObject(each))))),
  ),
  keys: taking(1, 1, (object = null) => sortedKeys(toObject(object))),
  values: taking(1, 1, (object = null) => sortedKeys(toObject(object)).map((key) => toObject(object)[key] ?? null)),
  lookup: taking(2, 3, (object = null, key = null, fallback) => {
    const name = toText(key);
    if (Object.hasOwn(toObject(object), name)) return toObject(object)[name] ?? null;
    return fallback === undefined ? refuse(`the object has no key "${name}", and no default is given`) : fallback;
  }),
};

function distinct(list: readonly Value[]): Value[] {
  // Scalars by key, the rare nested values by comparison: a set of ten thousand names stays linear.
  const seen = new Set<Value>();
  const nested: Value[] = [];
  return list.filter((item) => {
    if (typeof item !== "object" || item === null) return !seen.has(item) && seen.add(item);
    return !nested.some((other) => equal(other, item)) && nested.push(item) > 0;
  });
}

/** Numbers by size, strings by characters, other kinds as they came. */
function order(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : Number(a > b);
  return 0;
}

function flatten(list: readonly Value[]): Value[] {
  return list.flatMap((item) => (isList(item) ? flatten(item) : [item]));
}

/** `range(limit)`, `range(start, limit)`, `range(start, limit, step)`; the limit itself is not in it. */
function range(first: Value = null, second?: Value, third?: Value): Value {
  const start = second === undefined ? 0 : toNumber(first);
  const limit = toNumber(second ?? first);
  const step = third === undefined ? (limit < start ? -1 : 1) : toNumber(third);
  if (step === 0 || (limit - start) * step < 0) return refuse("the step does not lead from the start to the limit");
  const length = Math.ceil((limit - start) / step);
  if (length > RANGE_LENGTH_MAX) return refuse(`more than ${RANGE_LENGTH_MAX} items`);
  return Array.from({ length }, (_, i) => start + i * step);
}
