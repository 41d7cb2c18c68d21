// A server whose log was lost, or that went elsewhere than the others, begins anew in its process.
import { LogGapError } from "@steppe/log";
import { silentLogger } from "@steppe/model";
import { createClock } from "@steppe/runtime";
import { DigestMismatchError } from "@steppe/state";
import { expect, test } from "vitest";
import type { Server } from "./server.ts";
import { ServerKeeper, type StartNeeds } from "./server-keeper.ts";

function keeper() {
  const starts: StartNeeds[] = [];
  const fatal: Error[] = [];
  const start = async (needs: StartNeeds) => {
    starts.push(needs);
    return { close: async () => undefined } as Server;
  };
  const needs = { clock: createClock(), logger: silentLogger, onFatal: (error: Error) => void fatal.push(error) };
  return { starts, fatal, it: new ServerKeeper(start, needs) };
}

/** Fails the server that runs, and waits until it runs again. */
async function fail(it: ServerKeeper, starts: readonly StartNeeds[], error: Error): Promise<void> {
  const count = starts.length;
  starts.at(-1)?.onFatal(error);
  await expect.poll(() => starts.length > count && it.server !== undefined, { timeout: 10_000 }).toBe(true);
}

test("the log was lost, starts again knowing why", async () => {
  const { it, starts, fatal } = keeper();
  await it.start();
  const position = { identity: { epoch: 0, id: "", base: 0 }, last: 9, mark: undefined };
  const lost = new LogGapError("b holds more", { name: "b", position });
  await fail(it, starts, lost);
  expect(starts.map((needs) => needs.lost)).toEqual([undefined, lost]);
  expect(fatal).toEqual([]);
});

test("its state differs from the leader's, starts again three times, then ends", async () => {
  const { it, starts, fatal } = keeper();
  await it.start();
  for (let n = 0; n < 3; n++) await fail(it, starts, new DigestMismatchError("differs"));
  const last = new DigestMismatchError("differs");
  starts.at(-1)?.onFatal(last);
  expect(fatal).toEqual([last]);
  expect(starts.length).toBe(4);
});
