import type { Clock } from "@steppe/model";
import { HeartbeatBatch } from "@steppe/proto";
import type { Bus } from "../bus.ts";
import { SUBJECTS } from "../bus.ts";

/** Passes on to the leader which nodes this server heard of, many in one message. */
export class HeartbeatCollector {
  readonly #needs: { readonly clock: Clock; readonly bus: Pick<Bus, "publish"> };
  readonly #signal: AbortSignal;
  #heard: Set<string> = new Set();
  #sending = false;

  /** Sends until the signal aborts. */
  constructor(needs: { readonly clock: Clock; readonly bus: Pick<Bus, "publish"> }, signal: AbortSignal) {
    this.#needs = needs;
    this.#signal = signal;
  }

  heard(nodeIds: Iterable<string>): void {
    for (const id of nodeIds) this.#heard.add(id);
    if (!this.#sending && this.#heard.size > 0) void this.#sendSoon();
  }

  async #sendSoon(): Promise<void> {
    this.#sending = true;
    // Rejects only when this server is closing; its nodes then go to another one.
    await this.#needs.clock.after(GATHER_MS, this.#signal).catch(() => undefined);
    this.#sending = false;
    const ids = [...this.#heard];
    this.#heard = new Set();
    if (this.#signal.aborted) return;
    for (let at = 0; at < ids.length; at += IDS_MAX) {
      const batch = HeartbeatBatch.encode({ NodeIDs: ids.slice(at, at + IDS_MAX) }).finish();
      this.#needs.bus.publish(SUBJECTS.heartbeat, batch);
    }
  }
}

const GATHER_MS = 200;
/** 38 bytes each: well under the payload limit of a message. */
const IDS_MAX = 10_000;
