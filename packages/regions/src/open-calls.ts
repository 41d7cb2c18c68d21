import { CLOSING } from "./grpc-errors.ts";

/** The abort controllers of calls under way; `held` ones are not worth waiting for. */
export class OpenCalls {
  closing = false;
  #open = new Map<AbortController, boolean>();
  #onClose = new Set<() => void>();

  add(held: boolean): AbortController {
    const controller = new AbortController();
    this.#open.set(controller, held);
    if (this.closing && held) controller.abort(closingError());
    return controller;
  }

  remove(controller: AbortController): void {
    this.#open.delete(controller);
  }

  /** Calls `closing` when no new calls are wanted. What takes it back. */
  onClose(closing: () => void): () => void {
    this.#onClose.add(closing);
    return () => void this.#onClose.delete(closing);
  }

  close(): void {
    this.closing = true;
    for (const [controller, held] of this.#open) if (held) controller.abort(closingError());
    for (const closing of this.#onClose) closing();
  }

  abortAll(): void {
    for (const controller of this.#open.keys()) controller.abort(closingError());
  }
}

function closingError(): Error {
  return new Error(CLOSING.message);
}
