import { errors, type Msg, type NatsConnection } from "@nats-io/nats-core";
import type { Clock, Logger } from "@steppe/model";
import { BusError, type RegionBus } from "./bus.ts";
import { checkSubject } from "./bus-subject.ts";
import { createLocalBus } from "./local-bus.ts";
import { PayloadTooLargeError } from "./log.ts";
import { regionNames } from "./region-name.ts";

/** Of all that serve a subject, one gets each request. */
const QUEUE = "serve";

/**
 * The bus of a region over NATS. The connection stays the caller's. Payloads are limited as NATS
 * limits them; a larger one throws, or rejects with, `PayloadTooLargeError`.
 *
 * A request for what this process serves itself does not leave it: mostly it is the leader's own worker that
 * waits for its broker, and an evaluation would spend more time on the way to NATS and back than it is thought about.
 */
export function createNatsBus(
  connection: NatsConnection,
  region: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): RegionBus {
  const { busPrefix } = regionNames(region);
  const closing = new AbortController();
  const here = createLocalBus(clock, logger);
  /** How often this process serves each subject. */
  const servedHere = new Map<string, number>();
  const count = (subject: string, by: 1 | -1) => servedHere.set(subject, (servedHere.get(subject) ?? 0) + by);

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
      if ((servedHere.get(subject) ?? 0) > 0) return await here.request(subject, payload, timeoutMs, signal);
      // Listened to one by one: a composite signal for each request costs more than the request.
      const stops = signal === undefined ? [closing.signal] : [signal, closing.signal];
      return await new Promise<Uint8Array>((resolve, reject) => {
        const abort = () => reject(signal?.aborted ? signal.reason : closed());
        for (const stop of stops) stop.addEventListener("abort", abort, { once: true });
        connection
          .request(full, payload, { timeout: timeoutMs })
          .then(
            (answer) => resolve(answer.data),
            (error: unknown) => reject(busError(error, subject, timeoutMs)),
          )
          .finally(() => {
            for (const stop of stops) stop.removeEventListener("abort", abort);
          });
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
      if (signal.aborted || closing.signal.aborted) return;
      here.serve(subject, handle, signal);
      count(subject, 1);
      signal.addEventListener("abort", () => count(subject, -1), { once: true });
    },

    async close() {
      closing.abort();
      await here.close();
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
