import type { Clock } from "@steppe/model";
import type { Member } from "@steppe/proto";
import { LEFT } from "@steppe/regions";

/**
 * Raised with each kind of command that a server writes by itself and older versions do not know: they stop at it. A server
 * shows what it knows as a tag.
 */
export const LOG_VERSION = 1;
export const LOG_VERSION_TAG = "log_version";

/** How long a server that starts may not have heard of others yet, which show themselves once a second. */
const STRANGE_MS = 5000;
/** Members change seldom. */
const LOOK_EVERY_MS = 1000;

export interface LogVersionNeeds {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly region: string;
  /** No other server follows this log. */
  readonly isAlone: boolean;
  members(): readonly Member[];
}

/**
 * Whether all servers of the region know the commands of this version, also those that are down now but did not leave. While a region is
 * upgraded server by server they do not.
 */
export function createLogVersionCheck({ clock, region, isAlone, members }: LogVersionNeeds): () => boolean {
  if (isAlone) return () => true;
  let lookAtMs = clock.monotonicMs() + STRANGE_MS;
  let all = false;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs >= lookAtMs) {
      lookAtMs = nowMs + LOOK_EVERY_MS;
      all = members().every((it) => it.Region !== region || it.Status === LEFT || versionOf(it) >= LOG_VERSION);
    }
    return all;
  };
}

function versionOf({ Tags }: Member): number {
  return Number(Tags[LOG_VERSION_TAG] ?? 0);
}
