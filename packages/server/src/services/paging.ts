import { compareText, compileFilter, type FilterSubject, quote, SteppeError } from "@steppe/model";
import type { QueryOptions } from "@steppe/proto";

/**
 * The order of a list, and with it the tokens that continue it: `<field>.<field>`, compared field by
 * field. A number orders by value. Only the last field may contain a dot.
 */
export type Order<T> = readonly OrderField<T>[];

type OrderField<T> =
  | { readonly kind: "text"; readonly of: (item: T) => string }
  | { readonly kind: "number"; readonly of: (item: T) => number };

/** What a list is made of. `S` is what a filter sees of each item. */
export interface Listing<T, S = T> {
  readonly subject: FilterSubject<S>;
  /** Absent: the item itself. */
  readonly seen?: (item: T) => S;
  readonly order: Order<T>;
}

export interface Page<T> {
  readonly items: T[];
  /** Of the first item of the next page; empty at the end. */
  readonly next: string;
}

/** `isSorted`: the items come in the listing's order, also for a query that wants the reverse. */
export type Pager<T> = (items: Iterable<T>, isWanted?: (item: T) => boolean, isSorted?: "sorted") => Page<T>;

/**
 * Takes from the items those that the query's filter, token and page size ask for, in order. Compiled
 * once a request: a blocking query runs it again. The token names the first item of a page, so an item
 * that comes or goes between two pages moves no other one: what stays is listed exactly once.
 * Throws `invalid` for a filter or a token that cannot be read.
 */
export function createPager<T, S = T>(
  query: QueryOptions | undefined,
  { subject, seen, order }: Listing<T, S>,
): Pager<T> {
  const filter = query?.Filter ? compileFilter(query.Filter, subject) : undefined;
  const passes = filter && ((item: T) => filter(seen === undefined ? (item as unknown as S) : seen(item)));
  const direction = query?.Reverse ? -1 : 1;
  const from = query?.NextToken ? parseToken(query.NextToken, order) : undefined;
  const size = query !== undefined && query.PerPage > 0 ? query.PerPage : Number.POSITIVE_INFINITY;
  const compare = (a: T, b: T) => direction * compareItems(a, b, order);

  return (items, isWanted, isSorted) => {
    const belongs = (item: T) =>
      (from === undefined || direction * compareToToken(item, from, order) >= 0) && isWanted?.(item) !== false;
    const found =
      isSorted === undefined
        ? smallest(items, size + 1, compare, belongs, passes)
        : first(direction < 0 ? [...items].reverse() : items, size + 1, belongs, passes);
    const next = found.length > size ? found.pop() : undefined;
    return { items: found, next: next === undefined ? "" : order.map((field) => field.of(next)).join(".") };
  };
}

type Test<T> = (item: T) => boolean;

/** Of items that are in order. */
function first<T>(items: Iterable<T>, limit: number, belongs: Test<T>, passes?: Test<T>): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length === limit) break;
    if (belongs(item) && passes?.(item) !== false) found.push(item);
  }
  return found;
}

function smallest<T>(
  items: Iterable<T>,
  limit: number,
  compare: (a: T, b: T) => number,
  belongs: Test<T>,
  passes?: Test<T>,
): T[] {
  const found = new SmallestItems(limit, compare);
  for (const item of items) {
    // A filter costs more than to see that it cannot matter.
    if (belongs(item) && !found.isBeyond(item) && passes?.(item) !== false) found.add(item);
  }
  return found.sorted();
}

/** Keeps the first so many in order, without sorting what comes after them. */
class SmallestItems<T> {
  readonly #limit: number;
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];
  /** Anything after it is not among the first; undefined while all are. */
  #last: T | undefined;

  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  isBeyond(item: T): boolean {
    return this.#last !== undefined && this.#compare(item, this.#last) > 0;
  }

  add(item: T): void {
    // Cut seldom, so that sorting costs little for each item.
    if (this.#items.push(item) >= 2 * this.#limit + 64) this.#cut();
  }

  sorted(): T[] {
    this.#cut();
    return this.#items;
  }

  #cut(): void {
    this.#items.sort(this.#compare);
    if (this.#items.length < this.#limit) return;
    this.#items.length = this.#limit;
    this.#last = this.#items.at(-1);
  }
}

export function compareItems<T>(a: T, b: T, order: Order<T>): number {
  for (const field of order) {
    const difference = compareFields(field.of(a), field.of(b));
    if (difference !== 0) return difference;
  }
  return 0;
}

type Token = readonly (string | number)[];

function parseToken<T>(text: string, order: Order<T>): Token {
  const parts = text.split(".");
  const last = order.length - 1;
  // The last field takes the dots that are left.
  const fields = parts.length > order.length ? [...parts.slice(0, last), parts.slice(last).join(".")] : parts;
  return fields.map((field, i) => ((order[i] as OrderField<T>).kind === "number" ? indexOf(field, text) : field));
}

function indexOf(field: string, token: string): number {
  if (/^\d+$/.test(field)) return Number(field);
  throw new SteppeError(
    "invalid",
    `Invalid next_token ${quote(token)}: it is of another list, or of this one in another order`,
  );
}

/** A token of fewer fields than the order has stands before all that begin like it. */
function compareToToken<T>(item: T, token: Token, order: Order<T>): number {
  for (let i = 0; i < token.length; i++) {
    const difference = compareFields((order[i] as OrderField<T>).of(item), token[i] as string | number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareFields(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : compareText(String(a), String(b));
}
