import { collectEverything } from "@steppe/control";
import { type Clock, type Logger, type Service, SteppeError } from "@steppe/model";
import type { SystemDefinition } from "@steppe/proto";
import type { Replica } from "../replica.ts";
import type { Writer } from "./write.ts";

/** How long a user's garbage collection may take. */
const COLLECT_TIMEOUT_MS = 60_000;

/** Duties of the region that a user asks for. */
export function createSystem(
  replica: Replica,
  writer: Writer,
  clock: Clock,
  logger: Logger,
): Service<SystemDefinition> {
  const { view, proposer } = replica;
  return {
    /** Resolves when all that has ended, whenever that was, is gone. */
    async garbageCollect(_request, _call) {
      // The client going away does not take it back.
      const signal = AbortSignal.timeout(COLLECT_TIMEOUT_MS);
      const propose: Parameters<typeof collectEverything>[0]["propose"] = (kind, options) =>
        proposer.propose(kind, options);
      try {
        const index = await collectEverything({ clock, logger, view, propose }, signal);
        return { Index: index || view.index };
      } catch (cause) {
        if (!signal.aborted) throw cause;
        throw new SteppeError("timeout", "garbage collection goes on for too long", { cause });
      }
    },

    async reconcileSummaries({ Write }, call) {
      const { Index } = await writer.write(Write, call, { $case: "ReconcileSummaries", value: {} });
      return { Index };
    },
  };
}
