import { parseJob } from "@steppe/jobspec";
import { type Clock, formatTime, fromJson, type Random, SECOND } from "@steppe/model";
import type { Job } from "@steppe/proto";
import { cryptoFunctions } from "./crypto-functions.ts";

/** Reads a job file's text, with assignments to its variables; nothing is filled in. Throws `invalid`. */
export type ParseJob = (text: string, variables: string) => Job;

const FILENAME = "input.hcl";

export function createParseJob(clock: Pick<Clock, "wallNs">, random: Pick<Random, "id" | "bytes">): ParseJob {
  return (text, variables) => {
    const functions = new Map([
      ["timestamp", () => formatTime(Math.floor(clock.wallNs() / SECOND) * SECOND)],
      ...cryptoFunctions(random),
    ]);
    return fromJson<Job>("Job", parseJob({ text, filename: FILENAME, variables, functions }));
  };
}
