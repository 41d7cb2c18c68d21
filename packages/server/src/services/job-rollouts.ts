import { handOut, type RouteTo, rolloutStatus } from "@steppe/control";
import { type Call, copyFor, namesRegions, regionsOf, type Service, SteppeError } from "@steppe/model";
import {
  type DeregisterJob,
  type Job,
  type JobRegisterResponse,
  type JobsDefinition,
  type Outcome,
  OwedCopies,
  type RegisterJob,
  type WriteOptions,
} from "@steppe/proto";
import { jobKey } from "@steppe/state";
import { registerReply } from "./job-replies.ts";
import { namespaceOf, type Reader } from "./read.ts";
import type { Writer } from "./write.ts";

/** How far another region may let the answer to a registration wait. */
const HAND_OUT_MS = 2_500;

/** A write here, and what other regions did not take yet, in words. */
interface Written {
  readonly outcome: Outcome;
  readonly late: readonly string[];
}

type Methods = Pick<Service<JobsDefinition>, "rollout">;

/** Jobs that name their regions, seen from one of them. */
export interface JobRollouts extends Methods {
  /** The job as it is here. Throws `refused` where it names regions and this one is none of them. */
  here(job: Job): Job;
  /**
   * Writes this region's copy, and that the others are owed theirs, in one step; then gives it to them, all
   * at once and for a short time. With those that do not take it the leader goes on. `named`: as it was given.
   */
  register(write: WriteOptions | undefined, call: Call, own: RegisterJob, named: Job): Promise<Written>;
  /** Stops the job here and, in the same way, in other regions. */
  stop(write: WriteOptions | undefined, call: Call, own: DeregisterJob, regions: readonly string[]): Promise<Written>;
  /** Stops it here because another region says so. */
  takeStop(write: WriteOptions | undefined, call: Call, owed: OwedCopies | undefined): Promise<JobRegisterResponse>;
}

export function createJobRollouts(reader: Reader, writer: Writer, region: string, route: RouteTo): JobRollouts {
  /** Resolves with the regions that did not take it. */
  async function handOutAll(given: OwedCopies, Rollout: number, call: Call): Promise<string[]> {
    const owed = { ...given, Rollout };
    const timeoutMs = Math.min(call.timeoutMs, HAND_OUT_MS);
    const tried = await Promise.allSettled(owed.Regions.map((name) => handOut(owed, name, route, timeoutMs)));
    const Regions = owed.Regions.filter((_, at) => tried[at]?.status === "fulfilled");
    const { Namespace, JobID } = owed;
    if (Regions.length > 0) {
      const value = { Term: 0, Namespace, JobID, Rollout, Regions };
      await writer.write(undefined, call, { $case: "SettleCopies", value });
    }
    return owed.Regions.filter((name) => !Regions.includes(name));
  }

  return {
    here(job) {
      if (!namesRegions(job)) return job;
      const copy = copyFor(job, region);
      if (copy !== undefined) return copy;
      const names = regionsOf(job).join(", ");
      throw new SteppeError("refused", `job names its regions (${names}), and ${region} is none of them`);
    },

    async register(write, call, Register, named) {
      const { Namespace, ID: JobID } = named;
      const Regions = regionsOf(named).filter((name) => name !== region);
      const { EvalPriority } = Register;
      const Owed = OwedCopies.create({ Namespace, JobID, Regions, Job: named, EvalPriority });
      const value = { Register, Rollout: writer.wallNs(), First: true, Owed };
      const outcome = await writer.write(write, call, { $case: "RegisterCopy", value });
      const late = await handOutAll(Owed, outcome.Rollout, call);
      return {
        outcome,
        late: late.map((name) => `region "${name}" did not take the job yet; it gets it as soon as it can be reached`),
      };
    },

    async stop(write, call, Deregister, regions) {
      const { Namespace, JobID, Purge, EvalPriority, NoShutdownDelay } = Deregister;
      const fields = { Namespace, JobID, Purge, EvalPriority, NoShutdownDelay };
      const Owed = OwedCopies.create({ ...fields, Regions: [...regions] });
      const value = { Deregister, Rollout: writer.wallNs(), First: true, Owed };
      const outcome = await writer.write(write, call, { $case: "StopCopy", value });
      const late = await handOutAll(Owed, outcome.Rollout, call);
      return {
        outcome,
        late: late.map((name) => `region "${name}" did not stop the job yet; it does as soon as it can be reached`),
      };
    },

    async takeStop(write, call, owed) {
      if (owed === undefined || owed.JobID === "") throw new SteppeError("invalid", "missing job ID");
      const { Namespace, JobID, Purge, EvalPriority, NoShutdownDelay, Rollout } = owed;
      const Deregister = { Namespace, JobID, Purge, EvalPriority, NoShutdownDelay };
      const value = { Deregister, Rollout, First: false, Owed: undefined };
      return registerReply(await writer.write(write, call, { $case: "StopCopy", value }));
    },

    async rollout(request, call) {
      const key = { kind: "job", id: jobKey(namespaceOf(request.Query), request.JobID) } as const;
      const { value, meta } = await reader.read(request.Query, call, key, (view) => {
        const index = view.index;
        return { changedAt: index, index, value: rolloutStatus(view, key.id) };
      });
      return { ...value, Meta: meta };
    },
  };
}
