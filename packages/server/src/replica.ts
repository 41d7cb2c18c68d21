import type { Applier, Freshness, Proposer, ReplicatedLog } from "@steppe/log";
import type { Changes, State, StateView } from "@steppe/state";
import type { Watches } from "@steppe/watch";

/** One copy of a region's state with what keeps it current: the same in servers and in workers. */
export interface Replica {
  readonly log: ReplicatedLog;
  readonly state: State;
  readonly view: StateView;
  readonly applier: Applier<Changes>;
  readonly proposer: Proposer;
  readonly freshness: Freshness;
  readonly watches: Watches;
  close(): Promise<void>;
}
