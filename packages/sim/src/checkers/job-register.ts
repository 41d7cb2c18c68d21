/**
 * A job as a register: registrations write a mark into it (each its own, somewhere in the specification), `EnforceIndex`
 * makes them compare-and-set on the job's modify index, deregistrations stop or purge it, reads tell all three.
 */
import type { Model } from "./linearizable.ts";

export type JobCall =
  | { readonly op: "read" }
  | { readonly op: "register"; readonly mark: string }
  /** Registers if the job's modify index is `index`; 0: if there is no such job. */
  | { readonly op: "cas"; readonly mark: string; readonly index: number }
  | { readonly op: "deregister"; readonly purge: boolean };

export type JobResult =
  /** Of a read. `mark` is null when there is no such job. */
  | { readonly mark: string | null; readonly index: number; readonly stopped: boolean }
  /** Of a write; `applied` is false when the index did not match, `index` the job's modify index (0 when it tells none). */
  | { readonly applied: boolean; readonly index: number };

export interface JobRegister {
  readonly mark: string | null;
  readonly stopped: boolean;
  /** Modify index; undefined after a write whose answer nobody saw. */
  readonly index: number | undefined;
  /** The modify index is not below it; that of a registration is above it. */
  readonly floor: number;
}

export const jobRegister: Model<JobRegister, JobCall, JobResult> = {
  initial: { mark: null, stopped: false, index: 0, floor: 0 },

  step(job, call, result) {
    switch (call.op) {
      case "read":
        return result === undefined ? job : afterRead(job, result);
      case "register":
        return result === undefined || isApplied(result) ? written(job, call.mark, result) : undefined;
      case "cas":
        return afterCas(job, call, result);
      case "deregister":
        return afterDeregister(job, call.purge, result);
    }
  },

  identity: ({ mark, stopped, index, floor }) => JSON.stringify([mark, stopped, index ?? null, floor]),
};

function isApplied(result: JobResult): boolean {
  return "applied" in result && result.applied;
}

function afterRead(job: JobRegister, result: JobResult): JobRegister | undefined {
  if (!("mark" in result) || result.mark !== job.mark) return undefined;
  if (job.mark === null) return job;
  if (result.stopped !== job.stopped || result.index < job.floor) return undefined;
  if (job.index !== undefined) return result.index === job.index ? job : undefined;
  return { ...job, index: result.index, floor: result.index };
}

function written(job: JobRegister, mark: string, result: JobResult | undefined): JobRegister | undefined {
  // Each version has an index of its own; 0 tells none.
  if (result !== undefined && result.index !== 0 && result.index <= job.floor) return undefined;
  return moved({ ...job, mark, stopped: false }, result?.index);
}

/** `index`: what the write told, 0 when it told none. */
function moved(job: JobRegister, index: number | undefined): JobRegister | undefined {
  if (index === undefined || index === 0) return { ...job, index: undefined };
  return index < job.floor ? undefined : { ...job, index, floor: index };
}

function afterCas(
  job: JobRegister,
  { mark, index }: { readonly mark: string; readonly index: number },
  result: JobResult | undefined,
): JobRegister | undefined {
  const exists = job.mark !== null;
  // An index that nobody was told may be any from the floor on.
  const canMatch = index === 0 ? !exists : exists && (job.index ?? Math.max(index, job.floor)) === index;
  const mustMatch = canMatch && (index === 0 || job.index !== undefined);
  if (result === undefined) return canMatch ? written(job, mark, undefined) : job;
  if (isApplied(result)) return canMatch ? written(job, mark, result) : undefined;
  return mustMatch ? undefined : job;
}

function afterDeregister(job: JobRegister, purge: boolean, result: JobResult | undefined): JobRegister | undefined {
  if (result !== undefined && !isApplied(result)) return undefined;
  if (job.mark === null) return job;
  const after = moved({ ...job, stopped: true }, result?.index);
  return after !== undefined && purge ? { mark: null, stopped: false, index: 0, floor: after.floor } : after;
}
