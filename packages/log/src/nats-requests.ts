import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import type { Clock } from "@steppe/model";
import type { NatsLink } from "./nats-link.ts";

/**
 * Requests that know whether they were sent. The client library's own keep what is written while
 * the connection is being made and send it then, and let a request wait for its timeout when
 * the connection breaks.
 *
 * - `not-sent`: the connection was down; the other end will never see it.
 * - `no-responders`: sent, and the server says that nobody took it.
 * - `no-answer`: sent, and then the connection broke or the time ran out.
 */
export class RequestError extends Error {
  readonly reason: "not-sent" | "no-responders" | "no-answer";

  constructor(reason: "not-sent" | "no-responders" | "no-answer", message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RequestError";
    this.reason = reason;
  }
}

export interface NatsRequests {
  request(subject: string, payload: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<Msg>;
  close(): void;
}

interface Pending {
  resolve(message: Msg): void;
  reject(error: RequestError): void;
}

/** An abort reason made once: a fresh one captures a stack. */
const ANSWERED = new Error("answered");

export function createNatsRequests(connection: NatsConnection, link: NatsLink, clock: Clock): NatsRequests {
  const inbox = `${createInbox()}.`;
  const pending = new Map<string, Pending>();
  let count = 0;

  const subscription = connection.subscribe(`${inbox}*`, {
    callback: (error, message) => {
      if (error) {
        for (const request of [...pending.values()]) {
          request.reject(new RequestError("no-answer", error.message, { cause: error }));
        }
        return;
      }
      link.heard();
      const request = pending.get(message.subject.slice(inbox.length));
      if (request === undefined) return;
      if (message.data.length === 0 && message.headers?.code === 503) {
        request.reject(new RequestError("no-responders", "nobody answers for it at the NATS servers"));
      } else {
        request.resolve(message);
      }
    },
  });
  const stopListening = link.onDown(() => {
    for (const request of [...pending.values()]) {
      request.reject(new RequestError("no-answer", "the connection to NATS broke"));
    }
  });

  return {
    request(subject, payload, timeoutMs, signal) {
      if (!link.connected) return Promise.reject(new RequestError("not-sent", "not connected to NATS"));
      if (signal?.aborted) {
        return Promise.reject(new RequestError("not-sent", "given up before it was sent", { cause: signal.reason }));
      }
      const token = (count++).toString(36);
      return new Promise((resolve, reject) => {
        const timer = new AbortController();
        const stop = () =>
          settle(() =>
            reject(new RequestError("no-answer", "given up while it was under way", { cause: signal?.reason })),
          );
        const settle = (how: () => void) => {
          if (!pending.delete(token)) return;
          timer.abort(ANSWERED);
          signal?.removeEventListener("abort", stop);
          how();
        };
        pending.set(token, {
          resolve: (message) => settle(() => resolve(message)),
          reject: (error) => settle(() => reject(error)),
        });
        clock.after(timeoutMs, timer.signal).then(
          () => settle(() => reject(new RequestError("no-answer", `no answer within ${timeoutMs} ms`))),
          () => undefined,
        );
        signal?.addEventListener("abort", stop, { once: true });
        try {
          connection.publish(subject, payload, { reply: inbox + token });
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error);
          settle(() => reject(new RequestError("not-sent", text, { cause: error })));
        }
      });
    },
    close() {
      stopListening();
      subscription.unsubscribe();
      for (const request of [...pending.values()]) request.reject(new RequestError("no-answer", "the log is closed"));
    },
  };
}
