/**
 * The thread of an embedded log: owns the file, so that no fsync blocks the event loop.
 *
 * 1. Everything that is queued when it wakes is taken together; the appends among it go into one
 *    transaction (group commit) and are answered by one message.
 * 2. Messages are answered in order of arrival, appends before the calls that came after them.
 * 3. After a write with an unknown outcome it takes no more appends: what the disk holds can only
 *    be learnt by opening the file again.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { FromThread, ThreadAnswer, ThreadCall, ThreadOptions, ToThread } from "./embedded-protocol.ts";
import { EmbeddedStore, StoreError } from "./embedded-store.ts";

/** Rows that one transaction of a truncation drops, so that appends never wait long behind it. */
const TRUNCATE_ROWS = 2000;

const { path, base } = workerData as ThreadOptions;
const port = parentPort as MessagePort;

function main(): void {
  let store: EmbeddedStore;
  try {
    store = new EmbeddedStore(path, base);
  } catch (error) {
    send({ kind: "open-failed", message: textOf(error) });
    port.close();
    return;
  }
  send({ kind: "opened", bounds: store.bounds, snapshot: store.snapshotHead() });
  serve(store);
}

function serve(store: EmbeddedStore): void {
  let broken: string | undefined;

  const append = (payloads: Uint8Array[]) => {
    const count = payloads.length;
    if (count === 0) return;
    if (broken !== undefined) {
      send({ kind: "append-failed", count, outcome: "refused", message: broken });
      return;
    }
    try {
      send({ kind: "appended", first: store.append(payloads), count });
    } catch (error) {
      const outcome = error instanceof StoreError ? error.outcome : "unknown";
      if (outcome === "unknown") broken = textOf(error);
      send({ kind: "append-failed", count, outcome, message: textOf(error) });
    }
  };

  port.on("message", (message: ToThread) => {
    let appends: Uint8Array[] = [];
    for (let next: ToThread | undefined = message; next !== undefined; next = receiveMessageOnPort(port)?.message) {
      if (next.kind === "append") {
        appends.push(next.payload);
        continue;
      }
      append(appends);
      appends = [];
      answer(store, next.id, next.call);
    }
    append(appends);
  });
}

function answer(store: EmbeddedStore, id: number, call: ThreadCall): void {
  try {
    if (call.name === "truncate") truncate(store, id, call.index);
    else send({ kind: "answer", id, value: perform(store, call) });
  } catch (error) {
    send({ kind: "call-failed", id, message: textOf(error) });
  }
  if (call.name === "close") port.close();
}

function perform(
  store: EmbeddedStore,
  call: Exclude<ThreadCall, { name: "truncate" }>,
): ThreadAnswer[keyof ThreadAnswer] {
  switch (call.name) {
    case "read":
      return store.read(call.from, call.bytesMax);
    case "copy":
      return store.copy(call.from, call.to, call.into);
    case "snapshot-chunk":
      return void store.saveChunk(call.snapshot, call.n, call.data);
    case "snapshot-commit":
      return void store.commitSnapshot(call.head);
    case "snapshot-restart":
      return void store.restart(call.head);
    case "snapshot-head":
      return store.snapshotHead();
    case "snapshot-read":
      return store.readChunk(call.snapshot, call.n);
    case "close":
      return void store.close();
  }
}

// In slices, with whatever came in between taken first.
function truncate(store: EmbeddedStore, id: number, index: number): void {
  try {
    if (store.truncate(index, TRUNCATE_ROWS)) setImmediate(() => truncate(store, id, index));
    else send({ kind: "answer", id, value: store.bounds.first });
  } catch (error) {
    send({ kind: "call-failed", id, message: textOf(error) });
  }
}

function send(message: FromThread): void {
  port.postMessage(message);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main();
