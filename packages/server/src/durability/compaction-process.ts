/**
 * The process that makes a snapshot: it has a state of its own, which it takes from the last snapshot and
 * moves on by the entries behind it. So nothing waits for a snapshot in the process that serves, whose heap and
 * garbage collector have nothing to do with it either; and a snapshot that does not lead where the log leads is found
 * here, before anything relies on it.
 */
import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { readJournal, recordsIn, SnapshotFolder } from "@steppe/log";
import { silentLogger } from "@steppe/model";
import { createFiles } from "@steppe/runtime";
import type { FromProcess, ProcessOptions } from "./compaction.ts";
import { replay } from "./snapshot-replay.ts";

/** So far behind those that serve. Whoever is not root cannot take it back. */
const NICE = 10;
const NICE_MAX = 19;

async function make({ folder, urgent, journal, ...options }: ProcessOptions): Promise<FromProcess> {
  try {
    if (!urgent) stepBack();
    const files = createFiles();
    // What goes wrong is told to the server, which has a log to write to.
    await replay(new SnapshotFolder(files, folder, silentLogger), options, (part) =>
      journal === undefined ? recordsIn(process.stdin, part.from) : readJournal(files, journal, part),
    );
    return { kind: "written" };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

/** On Linux a priority belongs to a thread, and V8 has begun its own by now. */
function stepBack(): void {
  const priority = Math.min(getPriority() + NICE, NICE_MAX);
  if (process.platform === "linux")
    for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), priority);
  else setPriority(priority);
}

// A terminal tells all processes of a group to end; when this one does is for the server to say.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
// Its server is no more.
process.on("disconnect", () => process.exit(1));
const answer = await make(JSON.parse(process.argv[2] as string) as ProcessOptions);
process.send?.(answer, () => process.exit(0));
