import { errors, type Msg, type NatsConnection } from "@nats-io/nats-core";
import type { Logger } from "@steppe/model";
import { BusError, type RegionBus } from "./bus.ts";
import { checkSubject } from "./bus-subject.ts";
import { PayloadTooLargeError } from "./log.ts";
import { regionNames } from "./region-name.ts";

/** Of all that serve a subject, one gets each request. */
const QUEUE = "serve";

/**
 * The bus of a region over NATS. The connection stays the caller's. Payloads are limited as NATS
 * limits them; a larger one throws, or rejects with, `PayloadTooLargeError`.
 */
export function createNatsBus(connection: NatsConnection, region: string, logger: Logger): RegionBus {
  const { busPrefix } = regionNames(region);
  const closing = new AbortController();

  const fullSubject = (subject: string) => {
    checkSubject(subject);
    return busPrefix + subject;
  };

  const checkSize = (payload: Uint8Array) => {
    const max = connection.info?.max_payload ?? 1024 * 1024;
    if (payload.length > max) throw new PayloadTooLargeError(payload.length, max);
  };

  const listen = (subject: string, queue: string | undefined, take: (message: Msg) => void, signal: AbortSignal) => {
    const either = AbortSignal.any([signal, closing.signal]);
    if (either.aborted) return;
    const subscription = connection.subscribe(fullSubject(subject), {
      ...(queue !== undefined && { queue }),
      callback: (error, message) => {
        if (error) return logger.error({ err: error, subject }, "NATS refused a subscription of the bus");
        try {
          take(message);
        } catch (cause) {
          logger.error({ err: cause, subject }, "a bus subscriber failed");
        }
      },
    });
    either.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
  };

  return {
    publish(subject, payload) {
      const full = fullSubject(subject);
      checkSize(payload);
      if (!closing.signal.aborted && !connection.isClosed()) connection.publish(full, payload);
    },

    async request(subject, payload, timeoutMs, signal) {
      const full = fullSubject(subject);
      checkSize(payload);
      signal?.throwIfAborted();
      if (closing.signal.aborted || connection.isClosed()) throw closed();
      const stop = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      return await new Promise<Uint8Array>((resolve, reject) => {
        const abort = () => reject(signal?.aborted ? signal.reason : closed());
        stop.addEventListener("abort", abort, { once: true });
        connection
          .request(full, payload, { timeout: timeoutMs })
          .then(
            (answer) => resolve(answer.data),
            (error: unknown) => reject(busError(error, subject, timeoutMs)),
          )
          .finally(() => stop.removeEventListener("abort", abort));
      });
    },

    subscribe(subject, handle, signal) {
      listen(subject, undefined, (message) => handle(message.data), signal);
    },

    serve(subject, handle, signal) {
      const answer = async (message: Msg) => {
        try {
          const reply = await handle(message.data);
          checkSize(reply);
          if (!connection.isClosed()) message.respond(reply);
        } catch (error) {
          logger.warn({ err: error, subject }, "a bus request was not answered");
        }
      };
      listen(subject, QUEUE, (message) => void answer(message), signal);
    },

    async close() {
      closing.abort();
    },
  };
}

function closed(): BusError {
  return new BusError("closed", "the bus is closed");
}

function busError(error: unknown, subject: string, timeoutMs: number): Error {
  const options = { cause: error };
  if (error instanceof errors.TimeoutError) {
    return new BusError("timeout", `no answer on ${subject} within ${timeoutMs} ms`, options);
  }
  if (error instanceof errors.RequestError && error.isNoResponders()) {
    return new BusError("no-responders", `nobody serves ${subject}`, options);
  }
  if (error instanceof errors.NoRespondersError)
    return new BusError("no-responders", `nobody serves ${subject}`, options);
  // What is left comes from a connection that is closed or draining.
  return new BusError("closed", error instanceof Error ? error.message : String(error), options);
}
