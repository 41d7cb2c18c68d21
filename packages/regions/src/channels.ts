// Channels to servers by address, and the one loop that watches over their deadlines and health.
import type { Clock, Logger } from "@steppe/model";
import { Channel, type ServerChannel } from "./channel.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** How late a deadline may be noticed. */
const TICK_MS = 100;

export interface Channels {
  /**
   * The channel to `host:port`; connects when first used. With TLS, only a server of `region`
   * (undefined: of any region) is talked to there.
   */
  to(address: string, region: string | undefined): ServerChannel;
  /** Fails all calls. No channel may be used afterwards. */
  close(): void;
}

export function createChannels(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tls?: TlsIdentity;
}): Channels {
  const { clock, logger, tls } = options;
  const channels = new Map<string, Channel>();
  const closing = new AbortController();

  async function watch(): Promise<void> {
    for (let previousMs = clock.monotonicMs(); ; ) {
      await clock.after(TICK_MS, closing.signal);
      const nowMs = clock.monotonicMs();
      const lateMs = Math.max(0, nowMs - previousMs - 2 * TICK_MS);
      previousMs = nowMs;
      for (const channel of channels.values()) channel.tick(nowMs, lateMs);
    }
  }
  watch().catch((error) => {
    if (!closing.signal.aborted) logger.error({ err: error }, "the watch over connections to other servers stopped");
  });

  return {
    to(address, anyOrRegion) {
      // Without TLS nothing is checked, so that one connection will do.
      const region = tls === undefined ? undefined : anyOrRegion;
      const key = `${region ?? ""} ${address}`;
      let channel = channels.get(key);
      if (channel === undefined) {
        channel = new Channel({ address, region }, clock, tls);
        channels.set(key, channel);
      }
      return channel;
    },
    close() {
      closing.abort();
      for (const channel of channels.values()) channel.close();
    },
  };
}
