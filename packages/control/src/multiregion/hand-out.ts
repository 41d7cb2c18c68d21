import { type OwedCopies, WriteOptions } from "@steppe/proto";
import type { RouteTo } from "./needs.ts";

/**
 * Gives a region what it is owed of a job. The request ID is that of the registration and not of the
 * attempt, and a region that has this one or a later one changes nothing: so it may be given any number
 * of times, by anybody. Rejects as a call to that region does.
 */
export async function handOut(owed: OwedCopies, region: string, route: RouteTo, timeoutMs: number): Promise<void> {
  const { Namespace, JobID, Rollout } = owed;
  const RequestID = `rollout/${Namespace}/${JobID}/${Rollout}`;
  const Write = WriteOptions.create({ Region: region, Namespace, RequestID });
  const call = { signal: new AbortController().signal, timeoutMs };
  await route(region).jobs.takeCopy({ Write, Owed: owed }, call);
}
