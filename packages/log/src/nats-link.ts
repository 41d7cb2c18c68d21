import type { NatsConnection } from "@nats-io/nats-core";
import type { Clock } from "@steppe/model";

/**
 * What is known of the other end of a NATS connection: whether it is up, and when it was last
 * heard. One link per log; it pings when nothing else is being said.
 */
export interface NatsLink {
  readonly connected: boolean;
  /** To be called for everything that arrives. */
  heard(): void;
  /** 0 while in touch. */
  silenceMs(): number;
  /** Calls `listener` whenever the connection is lost; returns the way to stop that. */
  onDown(listener: () => void): () => void;
  close(): void;
}

const PING_MS = 1000;
/** Heard of within this time is in touch: one ping's period, and as long again for its answer. */
const IN_TOUCH_MS = 2 * PING_MS;

export function createNatsLink(connection: NatsConnection, clock: Clock): NatsLink {
  const listeners = new Set<() => void>();
  const closed = new AbortController();
  let connected = !connection.isClosed();
  let heardAt = clock.monotonicMs();
  const heard = () => {
    heardAt = clock.monotonicMs();
  };

  const watch = async () => {
    for await (const status of connection.status()) {
      if (closed.signal.aborted) return;
      if (status.type === "reconnect") {
        connected = true;
        heard();
      } else if (status.type === "disconnect" || status.type === "close") {
        connected = false;
        for (const listener of [...listeners]) listener();
      }
    }
  };

  const ping = async () => {
    let waiting = false;
    while (!closed.signal.aborted && !connection.isClosed()) {
      if (connected && !waiting && clock.monotonicMs() - heardAt >= PING_MS / 2) {
        waiting = true;
        const answered = () => {
          waiting = false;
        };
        connection.flush().then(heard).then(answered, answered);
      }
      await clock.after(PING_MS, closed.signal).catch(() => undefined);
    }
  };

  watch();
  ping();
  return {
    get connected() {
      return connected;
    },
    heard,
    silenceMs() {
      const silence = clock.monotonicMs() - heardAt;
      return connected && silence <= IN_TOUCH_MS ? 0 : silence;
    },
    onDown(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      connected = false;
      closed.abort();
      for (const listener of [...listeners]) listener();
    },
  };
}
