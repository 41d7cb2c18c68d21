// Every route, asked at random (20,000 times in `npm test`, 2,000 when run by itself): no answer is a failure that
// nobody foresaw, and what is refused changes nothing. The seed stands in the tests' name; STEPPE_FUZZ_SEED runs it again.
import { ROUTES } from "@steppe/http/internal";
import { mockNode } from "@steppe/model/internal";
import { type HttpRegion, openHttpRegion } from "@steppe/server/internal";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FuzzRequest, KNOWN_IDS, requests } from "./requests.ts";

const SLICES = 20;
const REQUESTS_PER_SLICE = Number(process.env.STEPPE_FUZZ_REQUESTS ?? 2_000) / SLICES;

const seed = Number(process.env.STEPPE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

const UNFORESEEN = new Set(["internal error", ""]);

let region: HttpRegion;

beforeAll(async () => {
  region = await openHttpRegion();
  const job = (ID: string, more: object = {}) => ({
    ...{ ID, Type: "batch", TaskGroups: [{ Name: "g", Count: 1, Tasks: [{ Name: "t", Driver: "mock_driver" }] }] },
    ...more,
  });
  const periodic = { Periodic: { Enabled: true, SpecType: "cron", Spec: "0 0 1 1 *" } };
  for (const it of [job("web"), job("a/b"), job("periodic", periodic)]) {
    expect((await region.call("PUT", "/v1/jobs", { Job: it })).status).toBe(200);
  }
  const Node = { ...mockNode(), ID: KNOWN_IDS.at(-1) as string };
  await region.run({ $case: "RegisterNode", value: { Node } });
});

afterAll(async () => region.close());

/** What every write moves: the index of its table. */
function tables(): string {
  const { indexes } = region.replica.state;
  return JSON.stringify([[...indexes.last], [...indexes.deleted]]);
}

async function check(request: FuzzRequest): Promise<void> {
  const { state } = region.replica;
  const before = { index: state.index, digest: state.digest.value, tables: tables() };
  const { method, url, headers, payload } = request;
  const reply = await region.app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  const failed = reply.statusCode >= 500 && UNFORESEEN.has(reply.body) && method !== "HEAD";
  expect(failed ? { request, status: reply.statusCode, errors: region.errors } : undefined).toBeUndefined();
  expect(region.errors).toEqual([]);
  if (reply.statusCode < 400) return;
  // A refusal by the state machine is an entry of the log; any other is none.
  const after = { index: state.index, digest: state.digest.value, tables: tables() };
  expect({ request, tables: after.tables }).toEqual({ request, tables: before.tables });
  if (after.index === before.index)
    expect({ request, digest: after.digest }).toEqual({ request, digest: before.digest });
}

describe(`every route at random, seed ${seed}`, () => {
  test.each(Array.from({ length: SLICES }, (_, slice) => slice))(
    "slice %i",
    async (slice) => {
      const made = fc.sample(requests(ROUTES), { seed: seed + slice, numRuns: REQUESTS_PER_SLICE });
      for (const request of made) await check(request);
    },
    120_000,
  );

  test("the replica, has applied all that was written and still answers", async () => {
    expect(region.replica.applier.failure).toBeUndefined();
    expect((await region.call("GET", "/v1/jobs")).status).toBe(200);
  });
});
