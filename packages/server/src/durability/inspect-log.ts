import type { LogIdentity } from "@steppe/log";
import { readJournalFolder } from "@steppe/log";
import { createFiles } from "@steppe/runtime";
import { askForRebuild as ask, readLogStatus, serverFolder } from "./operator-files.ts";

export interface InspectedLog {
  /** What the server last said of its log; undefined when it never did. */
  readonly status: string | undefined;
  /** Unix nanoseconds at which it said so. */
  readonly time: number;
  /** The log that its journal is of; undefined when it holds nothing. */
  readonly identity: LogIdentity | undefined;
  readonly first: number;
  readonly last: number;
}

/** What a server's data directory says of its log, whether it runs or not. Changes nothing. */
export async function inspectLog(dataDir: string): Promise<InspectedLog> {
  const files = createFiles();
  const status = await readLogStatus(files, dataDir);
  const journal = await readJournalFolder(files, `${serverFolder(dataDir)}/journal`);
  return { status: status?.status, time: status?.time ?? 0, ...journal };
}

/** Asks the server of this data directory to rebuild its region's log from what it holds. */
export async function askForRebuild(dataDir: string): Promise<void> {
  await ask(createFiles(), dataDir);
}
