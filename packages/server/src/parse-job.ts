import { createHash } from "node:crypto";
import { type HclFunction, parseJob, type Value } from "@steppe/jobspec";
import { type Clock, formatTime, fromJson, type Random, SECOND, SteppeError } from "@steppe/model";
import type { Job } from "@steppe/proto";

/** Reads a job file's text, with assignments to its variables; nothing is filled in. Throws `invalid`. */
export type ParseJob = (text: string, variables: string) => Job;

const FILENAME = "input.hcl";

export function createParseJob(clock: Pick<Clock, "wallNs">, random: Pick<Random, "id">): ParseJob {
  const functions = new Map<string, HclFunction>([
    ["timestamp", () => formatTime(Math.floor(clock.wallNs() / SECOND) * SECOND)],
    ["uuidv4", () => random.id()],
    ...["md5", "sha1", "sha256", "sha512"].map((name) => [name, hash(name)] as const),
  ]);
  return (text, variables) => fromJson<Job>("Job", parseJob({ text, filename: FILENAME, variables, functions }));
}

function hash(algorithm: string): HclFunction {
  return ([text]: readonly Value[]) => {
    if (typeof text !== "string") throw new SteppeError("invalid", "expected a string");
    return createHash(algorithm).update(text).digest("hex");
  };
}
