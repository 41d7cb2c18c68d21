import type { Bus } from "../bus.ts";

type Handler = (payload: Uint8Array) => Promise<Uint8Array>;

/** A region's bus in one process. Each member has its own end of it, which can be cut. */
export class LocalBus {
  readonly #servers: Map<string, { readonly member: Member; readonly handle: Handler }[]> = new Map();
  readonly #subscribers: Map<string, { readonly member: Member; readonly handle: (p: Uint8Array) => void }[]> =
    new Map();

  /** The end of one process. While `isCut()` says so, nothing passes it in either direction. */
  connect(isCut: () => boolean = () => false): Bus {
    const member: Member = { isCut };
    return {
      publish: (subject, payload) => {
        if (isCut()) return;
        for (const { member: to, handle } of this.#subscribers.get(subject) ?? []) {
          queueMicrotask(() => {
            if (!to.isCut()) handle(payload.slice());
          });
        }
      },
      subscribe: (subject, handle, signal) => register(this.#subscribers, subject, { member, handle }, signal),
      serve: (subject, handle, signal) => register(this.#servers, subject, { member, handle }, signal),
      request: (subject, payload, _timeoutMs, signal) => this.#request(member, subject, payload, signal),
    };
  }

  #request(from: Member, subject: string, payload: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const server = this.#servers.get(subject)?.find(({ member }) => !member.isCut());
      if (server === undefined || from.isCut()) return reject(new Error(`nobody serves ${subject}`));
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      server.handle(payload.slice()).then((answer) => {
        if (!from.isCut() && !server.member.isCut()) resolve(answer);
      }, reject);
    });
  }
}

interface Member {
  readonly isCut: () => boolean;
}

function register<T>(registry: Map<string, T[]>, subject: string, item: T, signal: AbortSignal): void {
  registry.set(subject, [...(registry.get(subject) ?? []), item]);
  signal.addEventListener("abort", () => {
    registry.set(
      subject,
      (registry.get(subject) ?? []).filter((other) => other !== item),
    );
  });
}
