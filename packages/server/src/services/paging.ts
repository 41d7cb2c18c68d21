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

/**
 * Takes from the items those that the query's filter, token and page size ask for, in order. Compiled
 * once a request: a blocking query runs it again. The token names the first item of a page, so an item
 * that comes or goes between two pages moves no other one: what stays is listed exactly once.
 * Throws `invalid` for a filter or a token that cannot be read.
 */
export function createPager<T, S = T>(
  query: QueryOptions | undefined,
  { subject, seen, order }: Listing<T, S>,
): (items: Iterable<T>, isWanted?: (item: T) => boolean) => Page<T> {
  const filter = query?.Filter ? compileFilter(query.Filter, subject) : undefined;
  const passes = filter && ((item: T) => filter(seen === undefined ? (item as unknown as S) : seen(item)));
  const direction = query?.Reverse ? -1 : 1;
  const from = query?.NextToken ? parseToken(query.NextToken, order) : undefined;
  const size = query !== undefined && query.PerPage > 0 ? query.PerPage : Number.POSITIVE_INFINITY;
  const compare = (a: T, b: T) => direction * compareItems(a, b, order);

  return (items, isWanted) => {
    const page = new SmallestItems(size + 1, compare);
    for (const item of items) {
      if (from !== undefined && direction * compareToToken(item, from, order) < 0) continue;
      if (isWanted?.(item) === false || page.isBeyond(item)) continue;
      if (passes?.(item) !== false) page.add(item);
    }
    const found = page.sorted();
    const first = found.length > size ? found.pop() : undefined;
    return { items: found, next: first === undefined ? "" : order.map((field) => field.of(first)).join(".") };
  };
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

function compareItems<T>(a: T, b: T, order: Order<T>): number {
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
