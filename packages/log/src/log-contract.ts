import { describe, expect, onTestFinished, test } from "vitest";
import { AppendError, LogGapError, type LogRecord, PayloadTooLargeError, type ReplicatedLog } from "./log.ts";
import { poll } from "./testing/poll.ts";

/** Where a log lives, for one test: it can be opened, left, and opened again. */
export interface LogWorld extends AsyncDisposable {
  /** Opens the log, making it when it is absent. One at a time. */
  open(options?: { readonly base?: number }): Promise<ReplicatedLog>;
  /** Ends without notice whatever keeps the log, and starts it again; only after the log was closed. */
  crash(): Promise<void>;
}

/** What every `ReplicatedLog` must do. */
export function describeLogContract(name: string, createWorld: () => Promise<LogWorld>): void {
  const world = async () => {
    const created = await createWorld();
    onTestFinished(async () => created[Symbol.asyncDispose]());
    return created;
  };
  const opened = async (options?: { readonly base?: number }) => {
    const log = await (await world()).open(options);
    onTestFinished(async () => log.close());
    return log;
  };

  describe(`log contract: ${name}`, () => {
    test("append: many at once, each has its own index and all read the same order", async () => {
      const log = await opened();

      const indexes = await Promise.all(Array.from({ length: 300 }, (_, i) => log.append(payload(i))));

      expect([...indexes].sort((a, b) => a - b)).toEqual(range(1, 300));
      for (const records of [await readAll(log, 0, 300), await readAll(log, 0, 300)]) {
        expect(records.map(({ index }) => index)).toEqual(range(1, 300));
        for (const record of records) expect(numberOf(record)).toBe(indexes.indexOf(record.index));
      }
    });

    test("append: one after another, indexes ascend by one", async () => {
      const log = await opened();
      for (let i = 1; i <= 20; i++) expect(await log.append(payload(i))).toBe(i);
      expect(await log.lastIndex()).toBe(20);
      expect(await log.firstIndex()).toBe(1);
    });

    test("empty log: last index is the base, first index one more", async () => {
      const log = await opened({ base: 1000 });
      expect(await log.lastIndex()).toBe(1000);
      expect(await log.firstIndex()).toBe(1001);
      expect(await log.append(payload(0))).toBe(1001);
      expect((await readAll(log, 1000, 1))[0]?.index).toBe(1001);
    });

    test("append: the same bytes again after an unknown outcome, both copies come up", async () => {
      const log = await opened();
      const [first, second] = [await log.append(payload(7)), await log.append(payload(7))];
      expect(second).toBeGreaterThan(first);
      expect((await readAll(log, 0, 2)).map(numberOf)).toEqual([7, 7]);
    });

    test("append: given up while under way, the outcome is unknown and the record is whole or absent", async () => {
      const log = await opened();
      const wait = new AbortController();
      const append = log.append(payload(1), wait.signal);
      wait.abort(new Error("no patience"));
      await expect(append).rejects.toSatisfy((error) => error instanceof AppendError && error.outcome === "unknown");

      await log.append(payload(2));
      const records = await readAll(log, 0, await log.lastIndex());
      expect([[2], [1, 2]]).toContainEqual(records.map(numberOf));
    });

    test("append: given up before it was sent, it is refused and never comes up", async () => {
      const log = await opened();
      const append = log.append(payload(1), AbortSignal.abort());
      await expect(append).rejects.toSatisfy((error) => error instanceof AppendError && error.outcome === "refused");
      expect(await log.append(payload(2))).toBe(1);
    });

    test("append: a payload at the limit is taken, one byte more is not", async () => {
      const log = await opened();
      expect(log.payloadMax).toBeGreaterThan(900_000);
      await log.append(new Uint8Array(log.payloadMax).fill(3));
      await expect(log.append(new Uint8Array(log.payloadMax + 1))).rejects.toBeInstanceOf(PayloadTooLargeError);
      expect(await log.lastIndex()).toBe(1);
      expect((await readAll(log, 0, 1))[0]?.payload.length).toBe(log.payloadMax);
    });

    test("append: a view into a larger buffer, only the view is stored", async () => {
      const log = await opened();
      const large = new Uint8Array(100_000).fill(9);
      await log.append(large.subarray(10, 14));
      expect([...((await readAll(log, 0, 1))[0]?.payload ?? [])]).toEqual([9, 9, 9, 9]);
      expect(large.length).toBe(100_000);
    });

    test("tail: records that come later are delivered as they come", async () => {
      const log = await opened();
      await log.append(payload(1));
      const tail = follow(log, 0);
      await tail.until(1);
      await log.append(payload(2));
      await tail.until(2);
      await log.append(payload(3));
      await tail.until(3);
      await tail.stop();
      expect(tail.records.map(numberOf)).toEqual([1, 2, 3]);
    });

    test("tail: from the middle, starts with the next record", async () => {
      const log = await opened();
      for (let i = 1; i <= 10; i++) await log.append(payload(i));
      expect((await readAll(log, 6, 4)).map(({ index }) => index)).toEqual([7, 8, 9, 10]);
    });

    test("tail: a slow reader, is not called again before it is done", async () => {
      const log = await opened();
      const stop = new AbortController();
      let inside = 0;
      let most = 0;
      const seen: number[] = [];
      const tail = log.tail(
        0,
        async (records) => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(...records.map(({ index }) => index));
          inside--;
          if (seen.length === 200) stop.abort();
        },
        stop.signal,
      );
      for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 10 }, () => log.append(payload(i))));
      await tail;
      expect(most).toBe(1);
      expect(seen).toEqual(range(1, 200));
    });

    test("tail: several megabytes behind, catches up in order", async () => {
      const log = await opened();
      const large = new Uint8Array(200_000);
      for (let i = 0; i < 60; i++) await log.append(large);
      expect((await readAll(log, 0, 60)).map(({ index }) => index)).toEqual(range(1, 60));
    });

    test("tail: the reader throws, the tail rejects with its error", async () => {
      const log = await opened();
      await log.append(payload(1));
      const tail = log.tail(0, () => Promise.reject(new Error("bad record")), new AbortController().signal);
      await expect(tail).rejects.toThrow("bad record");
    });

    test("tail: the log is closed, the tail ends", async () => {
      const log = await opened();
      const tail = log.tail(0, () => undefined, new AbortController().signal);
      const end = expect(tail).rejects.toThrow("closed");
      await log.close();
      await end;
      await expect(log.append(payload(1))).rejects.toSatisfy(
        (error) => error instanceof AppendError && error.outcome === "refused",
      );
    });

    test("tail: from beyond the end of the log, its tail was lost", async () => {
      const log = await opened();
      await log.append(payload(1));
      await expect(log.tail(5, () => undefined, new AbortController().signal)).rejects.toBeInstanceOf(LogGapError);
    });

    test("restart: closed and opened again, every record is there", async () => {
      await using place = await world();
      const before = await place.open();
      await Promise.all(Array.from({ length: 50 }, (_, i) => before.append(payload(i))));
      await before.close();

      await using log = disposable(await place.open());
      expect(await appendSurely(log, 50)).toBe(51);
      expect(new Set((await readAll(log, 0, 51)).map(numberOf))).toEqual(new Set(range(0, 50)));
    });

    test("restart: after a crash, every acknowledged record is there", async () => {
      await using place = await world();
      const before = await place.open();
      for (let i = 1; i <= 50; i++) await before.append(payload(i));
      await before.close();
      await place.crash();

      await using log = disposable(await place.open());
      expect((await readAll(log, 0, 50)).map(numberOf)).toEqual(range(1, 50));
    });

    test("truncate: behind a snapshot, older records are gone and the rest stays", async () => {
      const log = await opened();
      for (let i = 1; i <= 10; i++) await log.append(payload(i));
      await log.saveSnapshot(6, payload(600));
      await log.truncate(6);

      expect(await log.firstIndex()).toBe(7);
      expect(await log.lastIndex()).toBe(10);
      const snapshot = await log.loadSnapshot();
      expect(snapshot?.index).toBe(6);
      expect((await readAll(log, 6, 4)).map(numberOf)).toEqual([7, 8, 9, 10]);
      await expect(log.tail(3, () => undefined, new AbortController().signal)).rejects.toBeInstanceOf(LogGapError);
    });

    test("truncate: some, and restarted, drops no more than it was told to", async () => {
      await using place = await world();
      const before = await place.open();
      for (let i = 1; i <= 30; i++) await before.append(payload(i));
      await before.truncate(10);
      for (let i = 31; i <= 35; i++) await before.append(payload(i));
      await before.close();
      await place.crash();

      await using log = disposable(await place.open());
      expect(await appendSurely(log, 36)).toBe(36);
      expect(await log.firstIndex()).toBe(11);
      expect((await readAll(log, 10, 26)).map(numberOf)).toEqual(range(11, 36));
    });

    test("truncate: everything, and restarted, indexes go on", async () => {
      await using place = await world();
      const before = await place.open();
      for (let i = 1; i <= 10; i++) await before.append(payload(i));
      await before.truncate(10);
      expect(await before.firstIndex()).toBe(11);
      await before.close();
      await place.crash();

      await using log = disposable(await place.open());
      expect(await log.lastIndex()).toBe(10);
      // A cluster may still be choosing who leads.
      expect(await appendSurely(log, 11)).toBe(11);
      expect((await readAll(log, 10, 1)).map(numberOf)).toEqual([11]);
    });

    test("truncate: beyond the end, is refused and drops nothing", async () => {
      const log = await opened();
      await log.append(payload(1));
      await expect(log.truncate(2)).rejects.toBeInstanceOf(RangeError);
      expect(await log.firstIndex()).toBe(1);
    });

    test("truncate: again and with less, changes nothing", async () => {
      const log = await opened();
      for (let i = 1; i <= 5; i++) await log.append(payload(i));
      for (const index of [3, 3, 1, 0]) await log.truncate(index);
      expect(await log.firstIndex()).toBe(4);
    });

    test("truncate: while a tail follows, the tail misses nothing", async () => {
      const log = await opened();
      const tail = follow(log, 0);
      for (let i = 1; i <= 30; i++) {
        await log.append(payload(i));
        await tail.until(i);
        if (i % 10 === 0) await log.truncate(i - 1);
      }
      await tail.stop();
      expect(tail.records.map(numberOf)).toEqual(range(1, 30));
    });

    test("snapshot: none was saved, there is none", async () => {
      expect(await (await opened()).loadSnapshot()).toBeUndefined();
    });

    test("snapshot: large and saved twice, the newest is loaded after a restart", async () => {
      await using place = await world();
      const before = await place.open();
      const data = new Uint8Array(3_300_000).map((_, i) => i % 251);
      await before.saveSnapshot(3, new Uint8Array(2_000_000));
      await before.saveSnapshot(9, data);
      await before.close();
      await place.crash();

      await using log = disposable(await place.open());
      const snapshot = await log.loadSnapshot();
      expect(snapshot?.index).toBe(9);
      expect(Buffer.compare(snapshot?.data ?? new Uint8Array(0), data)).toBe(0);
    });

    test("snapshot: empty, is loaded empty", async () => {
      const log = await opened();
      await log.saveSnapshot(1, new Uint8Array(0));
      expect(await log.loadSnapshot()).toEqual({ index: 1, data: new Uint8Array(0) });
    });

    test("silence: a log that works is in touch", async () => {
      const log = await opened();
      await log.append(payload(1));
      expect(log.silenceMs()).toBe(0);
    });
  });
}

export function payload(n: number): Uint8Array {
  return new TextEncoder().encode(`record ${n}`);
}

export function numberOf(record: LogRecord): number {
  return Number(new TextDecoder().decode(record.payload).slice("record ".length));
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** Appends until it is acknowledged, however often it must be sent. */
export async function appendSurely(log: ReplicatedLog, n: number): Promise<number> {
  let index = 0;
  await poll(`append ${n}`, 30_000, async () => {
    try {
      index = await log.append(payload(n));
      return true;
    } catch (error) {
      if (!(error instanceof AppendError)) throw error;
      return `${error.outcome}: ${error.message}`;
    }
  });
  return index;
}

/** The first `count` records after `after`. */
export async function readAll(log: ReplicatedLog, after: number, count: number): Promise<LogRecord[]> {
  const tail = follow(log, after);
  await tail.until(after + count);
  await tail.stop();
  return tail.records;
}

export interface Follower {
  readonly records: LogRecord[];
  /** Resolves when record `index` has come; rejects when the tail ends before. */
  until(index: number): Promise<void>;
  stop(): Promise<void>;
}

export function follow(log: ReplicatedLog, after: number): Follower {
  const stop = new AbortController();
  const records: LogRecord[] = [];
  let look: () => void = () => undefined;
  const tail = log.tail(
    after,
    (more) => {
      records.push(...more);
      look();
    },
    stop.signal,
  );
  tail.catch(() => undefined);
  return {
    records,
    async until(index) {
      const come = new Promise<void>((resolve) => {
        look = () => {
          if ((records.at(-1)?.index ?? after) >= index) resolve();
        };
        look();
      });
      await Promise.race([come, tail.then(() => Promise.reject(new Error(`the tail ended before record ${index}`)))]);
    },
    async stop() {
      stop.abort();
      await tail;
    },
  };
}

function disposable<T extends ReplicatedLog>(log: T): T & AsyncDisposable {
  return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() });
}
