/**
 * The thread that makes snapshots: it has a state of its own, which it takes from the last snapshot and
 * moves on by the entries behind it. So nothing waits for a snapshot in the thread that serves, and a
 * snapshot that does not lead where the log leads is found here, before anything relies on it.
 */
import { setPriority } from "node:os";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { SnapshotFolder } from "@steppe/log";
import type { Logger } from "@steppe/model";
import { Entry } from "@steppe/proto";
import { createFiles } from "@steppe/runtime";
import { apply, encodeSnapshot, State } from "@steppe/state";
import type { FromThread, ThreadOptions, ToThread } from "./compaction-protocol.ts";
import { decodeSnapshotPieces } from "./decode-pieces.ts";
import { aboutOf } from "./snapshot-about.ts";

/** Behind those that serve: on Linux a priority belongs to a thread. */
const NICE = 10;

const { folder, region, log, from } = workerData as ThreadOptions;
const port = parentPort as MessagePort;

/** What goes wrong is told to the other side, which has a log to write to. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};
const snapshots = new SnapshotFolder(createFiles(), folder, SILENT);

async function load(): Promise<State> {
  if (from === undefined) return new State();
  return await decodeSnapshotPieces(snapshots.records(from));
}

function take(state: State, message: Extract<ToThread, { kind: "entries" }>): void {
  for (const [i, payload] of message.payloads.entries()) apply(state, message.first + i, Entry.decode(payload));
}

async function write(state: State, { index, digest }: Extract<ToThread, { kind: "write" }>): Promise<void> {
  if (state.index !== index || state.digest.value !== digest) {
    throw new Error(
      `the last snapshot and the entries behind it lead to digest ${state.digest.value} at index ${state.index}, ` +
        `this replica has ${digest} at ${index}`,
    );
  }
  await snapshots.save(aboutOf(state, region, log), encodeSnapshot(state));
}

function send(message: FromThread): void {
  port.postMessage(message);
}

function failed(error: unknown): void {
  send({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

function serve(state: State): void {
  port.on("message", (message: ToThread) => {
    if (message.kind === "entries") {
      try {
        take(state, message);
        send({ kind: "ready", index: state.index });
      } catch (error) {
        failed(error);
      }
    } else write(state, message).then(() => send({ kind: "written" }), failed);
  });
  send({ kind: "ready", index: state.index });
}

if (process.platform === "linux") setPriority(0, NICE);
load().then(serve, failed);
