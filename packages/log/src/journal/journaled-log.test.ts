// What a server hands on before its disk has it, and what it holds back.
import { FileError } from "@steppe/model";
import { expect, onTestFinished, test } from "vitest";
import { createLocalBus } from "../local-bus.ts";
import type { LogRecord } from "../log.ts";
import type { RegionLog } from "../region-log.ts";
import { Fence } from "../settle/fence.ts";
import { NO_OTHERS } from "../settle/others.ts";
import { createQuietLogger } from "../testing/quiet-logger.ts";
import { SteppedClock, settled } from "../testing/stepped-clock.ts";
import type { Journal } from "./journal.ts";
import { journaledLog } from "./journaled-log.ts";

const IDENTITY = { epoch: 0, id: "", base: 0 };
const logger = createQuietLogger();
const record = (index: number): LogRecord => ({ index, payload: new Uint8Array([index]) });

/** A journal whose every write the test answers. */
class HandJournal implements Pick<Journal, "first" | "last" | "lastMark" | "repair" | "append"> {
  readonly first = 1;
  last = 0;
  readonly lastMark = undefined;
  readonly writes: { readonly indexes: number[]; done(): void; fail(error: Error): void }[] = [];

  async repair(): Promise<void> {}

  append(records: readonly LogRecord[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const indexes = records.map(({ index }) => index);
    const done = () => {
      this.last = indexes.at(-1) ?? 0;
      resolve();
    };
    this.writes.push({ indexes, done, fail: reject });
    return promise;
  }
}

/** A journaled log over one whose deliveries the test makes. */
async function world() {
  const clock = new SteppedClock();
  const journal = new HandJournal();
  let deliver: (records: readonly LogRecord[]) => void | Promise<void> = () => undefined;
  const real: Pick<RegionLog, "identity" | "span" | "markAt" | "onBreak" | "tail"> = {
    identity: IDENTITY,
    span: async () => ({ first: 1, last: 0 }),
    markAt: async () => undefined,
    onBreak: () => () => undefined,
    tail: (_after, take, signal) =>
      new Promise((resolve, reject) => {
        deliver = (records) => Promise.resolve(take(records)).catch(reject);
        signal.addEventListener("abort", () => resolve());
      }),
  };
  const bus = createLocalBus(clock, logger);
  const own = async () => ({ name: "a", position: { identity: IDENTITY, last: 0, mark: undefined } });
  const fence = new Fence({ name: "a", quorum: 1, bus, clock, logger, others: NO_OTHERS, log: real, own });
  const log = journaledLog({ log: real as RegionLog, journal: journal as unknown as Journal, fence, clock, logger });
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort();
    fence.close();
  });
  const heard: string[] = [];
  let failure: Error | undefined;
  const ended = log.tail(
    0,
    async (records, kept) => {
      const told = records.map(({ index }) => index).join(",");
      heard.push(`handed on ${told}`);
      if (failure !== undefined) throw failure;
      await kept;
      heard.push(`kept ${told}`);
    },
    stop.signal,
  );
  await settled();
  return {
    ...{ clock, journal, heard, ended, stop },
    deliver: (...indexes: number[]) => deliver(indexes.map(record)),
    failWith: (error: Error) => {
      failure = error;
    },
  };
}

test("journaled log: a record is handed on while it is written, and told to be kept when it is synced", async () => {
  const { journal, heard, deliver } = await world();
  const done = deliver(1, 2);
  await settled();
  expect(heard).toEqual(["handed on 1,2"]);
  expect(journal.writes.map(({ indexes }) => indexes)).toEqual([[1, 2]]);
  journal.writes[0]?.done();
  await done;
  expect(heard).toEqual(["handed on 1,2", "kept 1,2"]);
});

test("journaled log: the disk is full, what was handed on is kept once there is room", async () => {
  const { clock, journal, heard, deliver } = await world();
  const done = deliver(1);
  await settled();
  journal.writes[0]?.fail(new FileError("full", "/journal", "no room"));
  await settled();
  await clock.advance(1000);
  await settled();
  expect(heard).toEqual(["handed on 1"]);
  journal.writes[1]?.done();
  await done;
  expect(heard).toEqual(["handed on 1", "kept 1"]);
});

test("journaled log: who takes the records fails, it ends when the write is over", async () => {
  const { journal, deliver, ended, failWith } = await world();
  failWith(new Error("does not decode"));
  let isOver = false;
  const end = expect(
    ended.finally(() => {
      isOver = true;
    }),
  ).rejects.toThrow("does not decode");
  void deliver(1);
  await settled();
  expect(isOver).toBe(false);
  journal.writes[0]?.done();
  await end;
});

test("journaled log: stopped while the disk is full, ends and says of nothing that it is kept", async () => {
  const { journal, heard, deliver, stop } = await world();
  const done = deliver(1);
  await settled();
  stop.abort();
  journal.writes[0]?.fail(new FileError("full", "/journal", "no room"));
  await done;
  expect(heard).toEqual(["handed on 1"]);
});
