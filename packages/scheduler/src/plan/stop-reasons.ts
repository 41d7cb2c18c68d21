import { ALLOCATION_DESCRIPTIONS } from "@steppe/model";

/** Why an allocation is to stop. Stops with the same reason share a header in the plan. */
export interface StopReason {
  readonly description: string;
  /** Set where the node can no longer say what became of it. */
  readonly clientStatus: "" | "lost";
}

export const STOP = {
  notNeeded: { description: ALLOCATION_DESCRIPTIONS.notNeeded, clientStatus: "" },
  nodeTainted: { description: ALLOCATION_DESCRIPTIONS.nodeTainted, clientStatus: "" },
  migrating: { description: ALLOCATION_DESCRIPTIONS.migrating, clientStatus: "" },
  updating: { description: ALLOCATION_DESCRIPTIONS.updating, clientStatus: "" },
  reconnected: { description: ALLOCATION_DESCRIPTIONS.reconnected, clientStatus: "" },
  rescheduled: { description: ALLOCATION_DESCRIPTIONS.rescheduled, clientStatus: "" },
  lost: { description: ALLOCATION_DESCRIPTIONS.lost, clientStatus: "lost" },
} as const satisfies Readonly<Record<string, StopReason>>;
