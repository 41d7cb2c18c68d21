// The five bytes that gRPC puts before each message: a compression flag (never set here, as we
// offer no encoding) and the length, big-endian.
import { SteppeError } from "@steppe/model";

export const PREFIX_BYTES = 5;

/** Above the largest list a region gives; a job alone is at most 1 MiB. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** Cuts a stream of chunks into messages. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #next: number | undefined;

  /** Taken in and not yet given out. */
  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole message, if it is there. */
  shift(): Buffer | undefined {
    if (this.#next === undefined) {
      if (this.#bytes < PREFIX_BYTES) return undefined;
      this.#next = messageLength(this.#join());
    }
    const end = PREFIX_BYTES + this.#next;
    if (this.#bytes < end) return undefined;
    const whole = this.#join();
    const rest = whole.subarray(end);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    this.#next = undefined;
    return whole.subarray(PREFIX_BYTES, end);
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }
}

function messageLength(prefix: Buffer): number {
  if (prefix[0] !== 0) throw new SteppeError("internal", "the server compressed its answer unasked");
  const length = prefix.readUInt32BE(1);
  if (length > MESSAGE_BYTES_MAX) throw new SteppeError("too-large", `the answer has ${length} bytes`);
  return length;
}
