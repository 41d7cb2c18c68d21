import type { Clock, Logger } from "@steppe/model";
import { BusError, type RegionBus } from "./bus.ts";
import { checkSubject } from "./bus-subject.ts";
import { DeadlineAlarm } from "./deadline-alarm.ts";
import { PayloadTooLargeError } from "./log.ts";

/** As NATS has it by default, so that what works here works there. */
const PAYLOAD_MAX = 1024 * 1024;

type Handle = (payload: Uint8Array) => void;
type Serve = (payload: Uint8Array) => Promise<Uint8Array>;

interface Listeners {
  readonly subscribers: Set<Handle>;
  readonly servers: Serve[];
}

interface Asking {
  /** On the clock's monotonic milliseconds. */
  readonly deadline: number;
  readonly reject: (error: unknown) => void;
  readonly late: () => BusError;
}

/** The bus of a region that is one process. Like over NATS, nothing is delivered before the sender's turn is over. */
export function createLocalBus(clock: Clock, logger: Logger): RegionBus {
  const subjects = new Map<string, Listeners>();
  const closing = new AbortController();
  const asking = new Set<Asking>();
  const alarm = new DeadlineAlarm(clock, (nowMs) => {
    let earliest = Number.POSITIVE_INFINITY;
    for (const one of [...asking]) {
      if (one.deadline <= nowMs) one.reject(one.late());
      else earliest = Math.min(earliest, one.deadline);
    }
    return earliest;
  });

  const listenersOf = (subject: string) => {
    let listeners = subjects.get(subject);
    if (listeners === undefined) {
      listeners = { subscribers: new Set(), servers: [] };
      subjects.set(subject, listeners);
    }
    return listeners;
  };

  const check = (subject: string, payload: Uint8Array) => {
    checkSubject(subject);
    if (payload.length > PAYLOAD_MAX) throw new PayloadTooLargeError(payload.length, PAYLOAD_MAX);
  };

  const tell = (subject: string, handle: Handle, payload: Uint8Array) => {
    try {
      handle(payload);
    } catch (error) {
      logger.error({ err: error, subject }, "a bus subscriber failed");
    }
  };

  /** One of those that serve the subject, each in its turn. */
  const nextServer = ({ servers }: Listeners) => {
    const server = servers.shift();
    if (server !== undefined) servers.push(server);
    return server;
  };

  /** To all subscribers and one server, as they are now. Undefined when no server answers. */
  const deliver = async (subject: string, payload: Uint8Array) => {
    const listeners = listenersOf(subject);
    for (const handle of [...listeners.subscribers]) tell(subject, handle, payload);
    const serve = nextServer(listeners);
    if (serve === undefined) return undefined;
    try {
      const answer = await serve(payload);
      check(subject, answer);
      return answer;
    } catch (error) {
      logger.warn({ err: error, subject }, "a bus request was not answered");
      return undefined;
    }
  };

  const whileOpen = (subject: string, signal: AbortSignal, add: () => () => void) => {
    checkSubject(subject);
    if (signal.aborted || closing.signal.aborted) return;
    const remove = add();
    signal.addEventListener("abort", remove, { once: true });
  };

  return {
    publish(subject, payload) {
      check(subject, payload);
      const copy = new Uint8Array(payload);
      queueMicrotask(() => {
        if (!closing.signal.aborted) void deliver(subject, copy);
      });
    },

    async request(subject, payload, timeoutMs, signal) {
      check(subject, payload);
      signal?.throwIfAborted();
      if (closing.signal.aborted) throw closed();
      const copy = new Uint8Array(payload);
      const { subscribers, servers } = listenersOf(subject);
      await Promise.resolve();
      // As in NATS, somebody who only listens counts as a responder.
      if (servers.length === 0 && subscribers.size === 0)
        throw new BusError("no-responders", `nobody serves ${subject}`);
      signal?.throwIfAborted();
      if (closing.signal.aborted) throw closed();
      return await new Promise<Uint8Array>((resolve, reject) => {
        const one: Asking = {
          deadline: clock.monotonicMs() + timeoutMs,
          reject: (error) => {
            leave();
            reject(error);
          },
          late: () => new BusError("timeout", `no answer on ${subject} within ${timeoutMs} ms`),
        };
        const abort = () => one.reject(signal?.reason);
        const leave = () => {
          asking.delete(one);
          signal?.removeEventListener("abort", abort);
        };
        asking.add(one);
        signal?.addEventListener("abort", abort, { once: true });
        alarm.watch(one.deadline);
        void deliver(subject, copy).then((answer) => {
          if (answer === undefined) return;
          leave();
          resolve(new Uint8Array(answer));
        });
      });
    },

    subscribe(subject, handle, signal) {
      whileOpen(subject, signal, () => {
        // A function of its own for each subscription: the same handler may subscribe twice.
        const own: Handle = (payload) => handle(payload);
        const { subscribers } = listenersOf(subject);
        subscribers.add(own);
        return () => subscribers.delete(own);
      });
    },

    serve(subject, handle, signal) {
      whileOpen(subject, signal, () => {
        const own: Serve = (payload) => handle(payload);
        const { servers } = listenersOf(subject);
        servers.push(own);
        return () => servers.splice(servers.indexOf(own), 1);
      });
    },

    async close() {
      closing.abort();
      alarm.stop();
      for (const one of [...asking]) one.reject(closed());
      subjects.clear();
    },
  };
}

function closed(): BusError {
  return new BusError("closed", "the bus is closed");
}
