import { expect, test } from "vitest";
import { createFreshness } from "./freshness.ts";
import { settled } from "./testing/stepped-clock.ts";

/** Questions to a log, answered by the test. */
function world() {
  const questions: PromiseWithResolvers<number>[] = [];
  const freshness = createFreshness({
    lastIndex() {
      const question = Promise.withResolvers<number>();
      questions.push(question);
      return question.promise;
    },
  });
  return { questions, freshness };
}

test("freshness: callers that arrive while a question is under way share the next one, never that one", async () => {
  const { questions, freshness } = world();
  const first = freshness.lastIndex();
  const later = [freshness.lastIndex(), freshness.lastIndex(), freshness.lastIndex()];
  expect(questions.length).toBe(1);

  questions[0]?.resolve(5);
  expect(await first).toBe(5);
  await settled();
  expect(questions.length).toBe(2);
  const last = freshness.lastIndex();
  questions[1]?.resolve(8);
  expect(await Promise.all(later)).toEqual([8, 8, 8]);

  await settled();
  questions[2]?.resolve(9);
  expect(await last).toBe(9);
});

test("freshness: a question fails, its callers are told and the next ones ask anew", async () => {
  const { questions, freshness } = world();
  const first = freshness.lastIndex();
  const second = freshness.lastIndex();
  questions[0]?.reject(new Error("no leader"));
  await expect(first).rejects.toThrow("no leader");
  await settled();
  questions[1]?.resolve(3);
  expect(await second).toBe(3);
});

test("freshness: a caller gives up, the others get the answer", async () => {
  const { questions, freshness } = world();
  const stop = new AbortController();
  const impatient = freshness.lastIndex(stop.signal);
  stop.abort(new Error("gone"));
  await expect(impatient).rejects.toThrow("gone");
  const patient = freshness.lastIndex();
  questions[0]?.resolve(1);
  await settled();
  questions[1]?.resolve(2);
  expect(await patient).toBe(2);
});
