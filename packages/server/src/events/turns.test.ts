import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

async function* three() {
  yield* [1, 2, 3];
}

async function all(items: AsyncIterable<number>): Promise<number[]> {
  const found: number[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const begin = (turns: Turns, signal = new AbortController().signal) => turns.take(signal, async () => three());

test("turns, one at a time: the second waits until the first was read, or left unread", async () => {
  const turns = new Turns(1);
  const first = await begin(turns);
  const order: string[] = [];
  const second = begin(turns).then((it) => {
    order.push("second");
    return it;
  });
  const third = begin(turns).then(() => order.push("third"));
  const iterator = first[Symbol.asyncIterator]();
  await iterator.next();
  expect(order).toEqual([]);
  await iterator.return?.();
  await (await second)[Symbol.asyncIterator]().return?.();
  await third;
  expect(order).toEqual(["second", "third"]);
});

test("turns, who leaves while waiting, is not in the way", async () => {
  const turns = new Turns(1);
  const first = await begin(turns);
  const leaving = new AbortController();
  const gone = begin(turns, leaving.signal);
  leaving.abort(new Error("left"));
  await expect(gone).rejects.toThrow("left");
  expect(await all(first)).toEqual([1, 2, 3]);
  expect(await all(await begin(turns))).toEqual([1, 2, 3]);
});

test("turns, what cannot be opened, takes none", async () => {
  const turns = new Turns(1);
  await expect(turns.take(new AbortController().signal, () => Promise.reject(new Error("old")))).rejects.toThrow("old");
  expect(await all(await begin(turns))).toEqual([1, 2, 3]);
});
