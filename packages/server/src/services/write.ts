import { type Call, type Clock, isErrorCode, SteppeError } from "@steppe/model";
import type { Command, Outcome, WriteOptions } from "@steppe/proto";
import type { StateView } from "@steppe/state";
import type { Replica } from "../replica.ts";

/** Letter for letter the API's: tools match it. */
const REJECTED = "Job registration, dispatch, and scale are disabled by the scheduler configuration";

/** While jobs are shed as load. Throws `permission-denied`. */
export function refuseIfRejecting(view: StateView): void {
  if (view.schedulerConfiguration.RejectJobRegistration) throw new SteppeError("permission-denied", REJECTED);
}

const KEY_REUSED = "Idempotency-Key was used before with another request; give each request a key of its own";

/** The ID was given to something else before. A request without a fingerprint is whatever the ID stands for. */
function isAnother(first: string, fingerprint: string): boolean {
  return first !== "" && fingerprint !== "" && first !== fingerprint;
}

export interface Writer {
  /** The stamp for commands that carry a point in time. */
  wallNs(): number;
  /** Takes a command through the log. A refusal by the state machine is thrown as it stands. */
  write(options: WriteOptions | undefined, call: Call, kind: NonNullable<Command["Kind"]>): Promise<Outcome>;
}

export function createWriter({ proposer }: Replica, clock: Clock): Writer {
  return {
    wallNs: () => clock.wallNs(),
    async write(options, call, kind) {
      // The client going away does not take back a write: no signal is passed on.
      const { RequestID: requestId = "", Fingerprint: fingerprint = "" } = options ?? {};
      const named = requestId === "" ? {} : { requestId, fingerprint };
      const outcome = await proposer.propose(kind, { ...named, timeoutMs: call.timeoutMs });
      if (isAnother(outcome.Fingerprint, fingerprint)) throw new SteppeError("key-reused", KEY_REUSED);
      const refusal = outcome.Refusal;
      if (refusal === undefined) return outcome;
      throw new SteppeError(isErrorCode(refusal.Code) ? refusal.Code : "internal", refusal.Message);
    },
  };
}
