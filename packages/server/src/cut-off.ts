import { noQuorum, type ReplicatedLog, SILENCE_MAX_MS } from "@steppe/log";
import type { Clock } from "@steppe/model";

/** Whether this server is cut off from its region's log, so that whoever relies on it should go to another one. */
export interface CutOff {
  /** Throws `no-quorum` while cut off. */
  refuse(): void;
  /** Aborts, with a `no-quorum` error, once cut off. Good for one stretch in touch: ask for it anew. */
  signal(): AbortSignal;
}

const LOOK_MS = 500;

/** Looks until the signal aborts. */
export function watchCutOff(
  { log, clock }: { readonly log: Pick<ReplicatedLog, "silenceMs">; readonly clock: Clock },
  stopping: AbortSignal,
): CutOff {
  let inTouch = new AbortController();
  const look = () => {
    if (log.silenceMs() > SILENCE_MAX_MS) inTouch.abort(noQuorum());
    else if (inTouch.signal.aborted) inTouch = new AbortController();
  };
  const run = async () => {
    while (!stopping.aborted) {
      look();
      await clock.after(LOOK_MS, stopping).catch(() => undefined);
    }
  };
  void run();
  return {
    refuse: () => refuseIfCutOff(log),
    signal() {
      look();
      return inTouch.signal;
    },
  };
}

/** At once, so that the caller can ask a server that is in touch. Throws `no-quorum`. */
export function refuseIfCutOff(log: Pick<ReplicatedLog, "silenceMs">): void {
  if (log.silenceMs() > SILENCE_MAX_MS) throw noQuorum();
}
