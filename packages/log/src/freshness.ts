import type { ReplicatedLog } from "./log.ts";
import { orAborted } from "./or-aborted.ts";

/**
 * The log's last index for any number of readers. One question is under way at a time; whoever
 * arrives meanwhile shares the next one, because the answer under way may have been given before
 * they arrived.
 */
export interface Freshness {
  /** Index of the newest record at some moment after the call. The signal ends the wait only. */
  lastIndex(signal?: AbortSignal): Promise<number>;
}

export function createFreshness(log: Pick<ReplicatedLog, "lastIndex">): Freshness {
  let underWay: Promise<number> | undefined;
  let next: Promise<number> | undefined;

  const ask = () => {
    const question = log.lastIndex();
    underWay = question;
    const done = () => {
      if (underWay === question) underWay = undefined;
    };
    question.then(done, done);
    return question;
  };

  const askNext = async (previous: Promise<number>) => {
    await previous.catch(() => undefined);
    next = undefined;
    return ask();
  };

  return {
    lastIndex(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      let answer: Promise<number>;
      if (underWay === undefined && next === undefined) answer = ask();
      else answer = next ??= askNext(underWay as Promise<number>);
      return signal === undefined ? answer : orAborted(answer, signal);
    },
  };
}
