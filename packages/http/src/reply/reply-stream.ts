import type { ServerResponse } from "node:http";
import { constants, createDeflate, createGzip, type Deflate, type Gzip } from "node:zlib";
import type { Encoding } from "./payload.ts";

// A piece is to reach the client now, not when the packer's window is full.
const AT_ONCE = { flush: constants.Z_SYNC_FLUSH, level: 3 };

/** A reply under way. What is written and not yet taken by the client is bounded: `write` waits. */
export class ReplyStream {
  readonly #response: ServerResponse;
  readonly #packer: Gzip | Deflate | undefined;
  readonly #isHead: boolean;

  constructor(response: ServerResponse, encoding: Encoding | undefined, isHead: boolean) {
    this.#response = response;
    this.#isHead = isHead;
    response.flushHeaders();
    if (isHead || encoding === undefined) return;
    this.#packer = encoding === "gzip" ? createGzip(AT_ONCE) : createDeflate(AT_ONCE);
    this.#packer.pipe(response);
  }

  /** Resolves when the client takes more, or has gone. */
  write(piece: string | Uint8Array): void | Promise<void> {
    if (this.#isHead || this.#response.destroyed) return;
    const target = this.#packer ?? this.#response;
    if (target.write(piece)) return;
    return new Promise((resolve) => {
      const go = () => {
        target.off("drain", go);
        this.#response.off("close", go);
        resolve();
      };
      target.once("drain", go);
      this.#response.once("close", go);
    });
  }

  end(): void {
    (this.#packer ?? this.#response).end();
  }
}
