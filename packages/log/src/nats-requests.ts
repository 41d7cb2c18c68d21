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
  /**
   * Resolves with the first answer. While none comes it is sent again every `resendMs` (default: never),
   * since whoever should answer may have been followed by another, and one that hangs says nothing.
   */
  request(
    subject: string,
    payload: Uint8Array,
    timeoutMs: number,
    signal?: AbortSignal,
    resendMs?: number,
  ): Promise<Msg>;
  /** Rejects all that wait for an answer, with `no-answer`: what was sent may have arrived, and is not sent again. */
  abandon(why: string): void;
  close(): void;
}

interface Pending {
  /** It was sent more than once, so that an answer to one copy says nothing of the others. */
  repeated: boolean;
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
        const reason = request.repeated ? "no-answer" : "no-responders";
        request.reject(new RequestError(reason, "nobody answers for it at the NATS servers"));
      } else {
        request.resolve(message);
      }
    },
  });
  const abandon = (why: string) => {
    for (const request of [...pending.values()]) request.reject(new RequestError("no-answer", why));
  };
  const stopListening = link.onDown(() => abandon("the connection to NATS broke"));

  return {
    request(subject, payload, timeoutMs, signal, resendMs = Number.POSITIVE_INFINITY) {
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
        const entry: Pending = {
          repeated: false,
          resolve: (message) => settle(() => resolve(message)),
          reject: (error) => settle(() => reject(error)),
        };
        pending.set(token, entry);
        const send = () => {
          try {
            connection.publish(subject, payload, { reply: inbox + token });
          } catch (error) {
            const text = error instanceof Error ? error.message : String(error);
            entry.reject(new RequestError(entry.repeated ? "no-answer" : "not-sent", text, { cause: error }));
          }
        };
        const wait = (leftMs: number) => {
          clock.after(Math.min(leftMs, resendMs), timer.signal).then(
            () => {
              if (leftMs <= resendMs) {
                return entry.reject(new RequestError("no-answer", `no answer within ${timeoutMs} ms`));
              }
              entry.repeated = true;
              send();
              wait(leftMs - resendMs);
            },
            () => undefined,
          );
        };
        wait(timeoutMs);
        signal?.addEventListener("abort", stop, { once: true });
        send();
      });
    },
    abandon,
    close() {
      stopListening();
      subscription.unsubscribe();
      abandon("the log is closed");
    },
  };
}
