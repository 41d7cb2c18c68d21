/**
 * The process that makes a snapshot: it has a state of its own, which it takes from the last snapshot and
 * moves on by the entries behind it. So nothing waits for a snapshot in the process that serves, whose heap and
 * garbage collector have nothing to do with it either; and a snapshot that does not lead where the log leads is found
 * here, before anything relies on it.
 */
import { readJournal, recordsIn, SnapshotFolder } from "@steppe/log";
import { silentLogger } from "@steppe/model";
import { createFiles } from "@steppe/runtime";
import { work } from "./apart-work.ts";
import type { ProcessOptions } from "./compaction.ts";
import { replay } from "./snapshot-replay.ts";

await work(async ({ folder, journal, ...options }: ProcessOptions) => {
  const files = createFiles();
  await replay(new SnapshotFolder(files, folder, silentLogger), options, (part) =>
    journal === undefined ? recordsIn(process.stdin, part.from) : readJournal(files, journal, part),
  );
});
