import { QueryOptions } from "@steppe/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPager, type Listing } from "./paging.ts";

interface Item {
  readonly ID: string;
  readonly Namespace: string;
  readonly CreateIndex: number;
}

const item = fc.record({
  // Dots and dashes are what joined tokens could be misread by; the last plane orders unlike UTF-16.
  ID: fc.string({ unit: fc.constantFrom("a", "b", ".", "-", "\u{1f600}", "\uffee"), minLength: 1, maxLength: 3 }),
  Namespace: fc.constantFrom("team", "team-a", "t"),
  CreateIndex: fc.nat({ max: 120 }),
});

const items = fc.uniqueArray(item, { selector: (it) => `${it.Namespace} ${it.ID}`, maxLength: 300 });

const byName: Listing<Item> = {
  subject: { message: "Evaluation" },
  order: [
    { kind: "text", of: (it) => it.Namespace },
    { kind: "text", of: (it) => it.ID },
  ],
};

const byAge: Listing<Item> = {
  subject: { message: "Evaluation" },
  order: [
    { kind: "number", of: (it) => it.CreateIndex },
    { kind: "text", of: (it) => `${it.ID}/${it.Namespace}` },
  ],
};

const listing = fc.constantFrom(byName, byAge);

function options(fields: Partial<QueryOptions>): QueryOptions {
  return QueryOptions.create(fields);
}

/** All pages, with what happens to the items between two of them. */
function walk(items: Item[], listing: Listing<Item>, query: QueryOptions, between: () => void = () => {}): Item[] {
  const seen: Item[] = [];
  let NextToken = "";
  for (let pages = 0; pages <= 1_000; pages++) {
    const page = createPager(options({ ...query, NextToken }), listing)(items);
    expect(page.items.length).toBeLessThanOrEqual(query.PerPage);
    seen.push(...page.items);
    if (page.next === "") return seen;
    NextToken = page.next;
    between();
  }
  throw new Error("pages without end");
}

describe("pager", () => {
  test("pages of any size, either direction, with a filter: together are the whole list in order", () => {
    const filter = fc.constantFrom("", "Namespace == team", "CreateIndex != 7", "ID contains a");
    fc.assert(
      fc.property(items, listing, fc.integer({ min: 1, max: 40 }), fc.boolean(), filter, (...args) => {
        const [all, listing, PerPage, Reverse, Filter] = args;
        const whole = createPager(options({ Reverse, Filter }), listing)(all);
        expect(whole.next).toBe("");
        expect(walk(all, listing, options({ PerPage, Reverse, Filter }))).toEqual(whole.items);
        const forward = createPager(options({ Filter }), listing)(all).items;
        expect(whole.items).toEqual(Reverse ? [...forward].reverse() : forward);
      }),
    );
  });

  test("items that come sorted: the same pages, with the same tokens", () => {
    const filter = fc.constantFrom("", "Namespace == team", "CreateIndex != 7");
    fc.assert(
      fc.property(items, listing, fc.integer({ min: 1, max: 40 }), fc.boolean(), filter, (...args) => {
        const [all, listing, PerPage, Reverse, Filter] = args;
        const sorted = createPager(undefined, listing)(all).items;
        const isWanted = (it: Item) => it.CreateIndex % 5 !== 0;
        let NextToken = "";
        do {
          const page = createPager(options({ PerPage, Reverse, Filter, NextToken }), listing);
          const expected = page(all, isWanted);
          expect(page(sorted, isWanted, "sorted")).toEqual(expected);
          NextToken = expected.next;
        } while (NextToken !== "");
      }),
    );
  });

  test("items that come and go between pages: those that stay are listed exactly once", () => {
    fc.assert(
      fc.property(items, items, listing, fc.integer({ min: 1, max: 20 }), fc.boolean(), (...args) => {
        const [all, others, listing, PerPage, Reverse] = args;
        const name = (it: Item) => `${it.Namespace} ${it.ID}`;
        const known = new Set(all.map(name));
        const coming = others.filter((it) => !known.has(name(it)));
        const [going, staying] = [all.filter((_, i) => i % 2 === 0), all.filter((_, i) => i % 2 === 1)];
        const live = [...all];
        const seen = walk(live, listing, options({ PerPage, Reverse }), () => {
          const gone = going.pop();
          if (gone !== undefined) live.splice(live.indexOf(gone), 1);
          const come = coming.pop();
          if (come !== undefined) live.push(come);
        });
        const count = new Map<string, number>();
        for (const it of seen) count.set(name(it), (count.get(name(it)) ?? 0) + 1);
        for (const it of staying) expect(count.get(name(it))).toBe(1);
        for (const times of count.values()) expect(times).toBe(1);
      }),
    );
  });

  test("order of namespaces that begin alike: is of their names, not of the joined token", () => {
    const all = ["team-a", "team"].map((Namespace) => ({ ID: "x", Namespace, CreateIndex: 1 }));
    expect(createPager(options({ PerPage: 1 }), byName)(all).next).toBe("team-a.x");
  });

  test("token of a number alone: starts at that number", () => {
    const all = [9, 10, 102].map((CreateIndex) => ({ ID: "x", Namespace: "t", CreateIndex }));
    const page = createPager(options({ NextToken: "10" }), byAge)(all);
    expect(page.items.map((it) => it.CreateIndex)).toEqual([10, 102]);
  });

  test("token of another list: is refused", () => {
    expect(() => createPager(options({ NextToken: "team.x" }), byAge)).toThrow(/^Invalid next_token "team.x"/);
  });

  test("filter that cannot be read: is refused before anything is listed", () => {
    expect(() => createPager(options({ Filter: "ID" }), byName)).toThrow(/failed to read filter expression/);
  });

  test("wanted: items that are not are left out, before the page is counted", () => {
    const all = [1, 2, 3].map((CreateIndex) => ({ ID: "x", Namespace: "t", CreateIndex }));
    const page = createPager(options({ PerPage: 1 }), byAge)(all, (it) => it.CreateIndex !== 1);
    expect(page).toEqual({ items: [all[1]], next: "3.x/t" });
  });
});
