import { MESSAGE_BYTES_MAX } from "./frames.ts";

/** A batch with this many bytes is sent; what is larger than that travels alone. */
const BATCH_BYTES = 256 * 1024;
/** Above what a call or a reply has around its message. */
const AROUND_BYTES = 1024;

/** The longest message of one call that still fits into a batch. */
export const CALL_BYTES_MAX = MESSAGE_BYTES_MAX - AROUND_BYTES;

interface Carried {
  readonly Message: Uint8Array;
}

/** Cuts what is to be sent into the batches that it is sent in, in order. */
export function* batches<Item extends Carried>(items: readonly Item[]): Generator<Item[], void> {
  let batch: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    if (batch.length > 0 && bytes + item.Message.length > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.Message.length + AROUND_BYTES;
  }
  if (batch.length > 0) yield batch;
}
