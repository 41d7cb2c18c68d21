/**
 * The thread that makes snapshots: it has a state of its own, which it takes from the last snapshot and
 * moves on by the entries behind it. So nothing waits for a snapshot in the thread that serves, and a
 * snapshot that does not lead where the log leads is found here, before anything relies on it.
 */
import { getPriority, setPriority } from "node:os";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { SnapshotFolder } from "@steppe/log";
import type { Logger } from "@steppe/model";
import { createFiles } from "@steppe/runtime";
import type { FromThread, ThreadOptions, ToThread } from "./compaction-protocol.ts";
import { loadReplay, type SnapshotReplay } from "./snapshot-replay.ts";

/** So far behind those that serve: on Linux a priority belongs to a thread. Whoever is not root cannot take it back. */
const NICE = 10;
const NICE_MAX = 19;

const { folder, urgent, ...options } = workerData as ThreadOptions;
const port = parentPort as MessagePort;

/** What goes wrong is told to the other side, which has a log to write to. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

function send(message: FromThread): void {
  port.postMessage(message);
}

function failed(error: unknown): void {
  send({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

function serve(replay: SnapshotReplay): void {
  port.on("message", (message: ToThread) => {
    if (message.kind === "entries") {
      try {
        replay.take(message.first, message.payloads);
        send({ kind: "ready", index: replay.index });
      } catch (error) {
        failed(error);
      }
    } else replay.write(message.index, message.digest).then(() => send({ kind: "written" }), failed);
  });
  send({ kind: "ready", index: replay.index });
}

if (process.platform === "linux" && !urgent) setPriority(0, Math.min(getPriority(process.pid) + NICE, NICE_MAX));
loadReplay(new SnapshotFolder(createFiles(), folder, SILENT), options).then(serve, failed);
