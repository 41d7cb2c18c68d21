import { setTimeout } from "node:timers/promises";
import type { Agent } from "../../kit/cluster.ts";
import { childrenOf, cpuMs } from "./processes.ts";

/** Whether a snapshot is due is looked at every five seconds. */
const REST_MS = 6_000;
const LOOK_MS = 500;
/** Of a second of CPU in a second; leases are renewed, and connections kept, also at rest. */
const BUSY_SHARE = 0.1;

/** Until all evaluations are done, and no snapshot is made or due: the server does next to nothing for a while. */
export async function atRest({ pid }: Agent): Promise<void> {
  for (let restMs = 0; restMs < REST_MS; ) {
    const before = cpuMs([pid]);
    await setTimeout(LOOK_MS);
    const isBusy = childrenOf(pid).length > 0 || cpuMs([pid]) - before > LOOK_MS * BUSY_SHARE;
    restMs = isBusy ? 0 : restMs + LOOK_MS;
  }
}
