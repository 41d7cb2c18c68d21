// What clients see of every route group, one table a group, against one agent for all. With STEPPE_CONFORMANCE_ADDR
// the same rows are put to somebody else's server, but for those on which Steppe differs on purpose.
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, test } from "vitest";
import { checkRow } from "./check.ts";
import type { Row, Table } from "./row.ts";
import { openSubject, type Subject } from "./subject.ts";

const folder = new URL("tables/", import.meta.url);
const tables = await Promise.all(
  readdirSync(folder)
    .sort()
    .map(async (file) => ((await import(new URL(file, folder).href)) as { default: Table }).default),
);

/** No two runs share an ID, so that a peer may be asked again. */
const run = `conf-${randomBytes(4).toString("hex")}-`;
let rows = 0;
let subject: Subject;

const isForPeer = ({ differs }: Row) => differs === undefined;
const chosen = process.env.STEPPE_CONFORMANCE_ADDR ? isForPeer : () => true;

beforeAll(async () => {
  subject = await openSubject();
}, 60_000);

afterAll(async () => subject.close(run), 60_000);

describe.each(tables)("$subject", ({ rows: all }) => {
  test.each(all.filter(chosen))("$name", async (row) => {
    rows += 1;
    await checkRow(subject.address, row, { ...subject.variables, id: `${run}${rows}` });
  });
});
