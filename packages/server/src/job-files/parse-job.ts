import { parseJob } from "@steppe/jobspec";
import { type Clock, formatTime, fromJson, type Random, SECOND, SteppeError } from "@steppe/model";
import type { Job } from "@steppe/proto";
import { formatByteSize } from "../config/byte-size.ts";
import { cryptoFunctions } from "./crypto-functions.ts";

/** Reads a job file's text, with assignments to its variables; nothing is filled in. Throws `invalid`. */
export type ParseJob = (text: string, variables: string) => Job;

const FILENAME = "input.hcl";
/** Bytes of a job file with its variables. As much takes a second and a half to read, in which nothing else is done. */
const SOURCE_MAX = 1_000_000;

export function createParseJob(clock: Pick<Clock, "wallNs">, random: Pick<Random, "id" | "bytes">): ParseJob {
  return (text, variables) => {
    const bytes = Buffer.byteLength(text) + Buffer.byteLength(variables);
    if (bytes > SOURCE_MAX) {
      const [is, most] = [formatByteSize(bytes), formatByteSize(SOURCE_MAX)];
      throw new SteppeError("invalid", `job source size of ${is} exceeds maximum of ${most}`);
    }
    const functions = new Map([
      ["timestamp", () => formatTime(Math.floor(clock.wallNs() / SECOND) * SECOND)],
      ...cryptoFunctions(random),
    ]);
    return fromJson<Job>("Job", parseJob({ text, filename: FILENAME, variables, functions }));
  };
}
