import { toJson } from "@steppe/model";
import type { Job } from "@steppe/proto";
import { Payload } from "./payload.ts";

/** Serialised forms, kept as long as the job itself is: the state replaces a job's object when it changes. */
const payloads = new WeakMap<Job, Payload>();

export function jobPayload(job: Job): Payload {
  let payload = payloads.get(job);
  if (payload === undefined) {
    payload = new Payload(jobJson(job));
    payloads.set(job, payload);
  }
  return payload;
}

export function jobJson(job: Job): string {
  return toJson("Job", withoutTokens(job));
}

/** Tokens that came with a registration are kept and never shown. */
export function withoutTokens(job: Job): Job {
  return job.ConsulToken === "" && job.VaultToken === "" ? job : { ...job, ConsulToken: "", VaultToken: "" };
}
