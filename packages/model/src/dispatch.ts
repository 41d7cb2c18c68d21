import { Job } from "@steppe/proto";
import { resetServerFields } from "./periodic.ts";
import { SECOND } from "./time.ts";

/** Bytes of a dispatch's payload; the peer's limit. */
export const DISPATCH_PAYLOAD_MAX = 16 * 1024;

/** What a dispatch gives to the job that it starts. */
export interface Dispatch {
  readonly Payload: Uint8Array;
  readonly Meta: Readonly<Record<string, string>>;
  readonly IdempotencyToken: string;
  readonly IdPrefixTemplate: string;
  /** 0 = the template's. */
  readonly Priority: number;
}

/** Why the job cannot be dispatched so, in the API's words. */
export function dispatchProblem(job: Job, { Payload, Meta }: Dispatch): string | undefined {
  const config = job.ParameterizedJob;
  if (config === undefined || job.Dispatched) return `Specified job "${job.ID}" is not a parameterized job`;
  if (job.Stop) return `Specified job "${job.ID}" is stopped`;
  if (config.Payload === "required" && Payload.length === 0) {
    return "Payload is not provided but required by parameterized job";
  }
  if (config.Payload === "forbidden" && Payload.length > 0) {
    return "Payload provided but forbidden by parameterized job";
  }
  if (Payload.length > DISPATCH_PAYLOAD_MAX) {
    return `Payload exceeds maximum size; ${Payload.length} > ${DISPATCH_PAYLOAD_MAX}`;
  }
  const known = new Set([...config.MetaRequired, ...config.MetaOptional]);
  const unknown = Object.keys(Meta).filter((key) => !known.has(key));
  if (unknown.length > 0) {
    return `Dispatch request included unpermitted metadata keys: [${unknown.sort().join(" ")}]`;
  }
  const missing = config.MetaRequired.filter((key) => !Object.hasOwn(Meta, key));
  return missing.length > 0 ? `Dispatch did not provide required meta keys: [${missing.sort().join(" ")}]` : undefined;
}

/** The job that a dispatch registers: a copy of its template. `timeNs` and `id` (a fresh one) make its own ID. */
export function dispatchedChild(template: Job, dispatch: Dispatch, timeNs: number, id: string): Job {
  const child = Job.decode(Job.encode(template).finish());
  const prefix = dispatch.IdPrefixTemplate === "" ? "" : `${dispatch.IdPrefixTemplate}-`;
  child.ID = `${template.ID}/dispatch-${prefix}${Math.floor(timeNs / SECOND)}-${id.slice(0, 8)}`;
  child.Name = child.ID;
  child.ParentID = template.ID;
  child.Dispatched = true;
  child.DispatchIdempotencyToken = dispatch.IdempotencyToken;
  child.Payload = dispatch.Payload;
  child.Meta = { ...child.Meta, ...dispatch.Meta };
  if (dispatch.Priority !== 0) child.Priority = dispatch.Priority;
  resetServerFields(child);
  return child;
}
