// How an operator on a server's machine and the server speak while it serves nothing: by files in its
// data directory. Who may write there may decide.

import { replaceFile } from "@steppe/log";
import type { Files } from "@steppe/model";

/** Where a server keeps what is its own. */
export function serverFolder(dataDir: string): string {
  return `${dataDir}/server`;
}

export interface LogStatus {
  /** "following", or why nothing is served. */
  readonly status: string;
  /** Unix nanoseconds at which this was written. */
  readonly time: number;
}

const REQUEST = "rebuild-asked";
const STATUS = "log-status.json";

export async function askForRebuild(files: Files, dataDir: string): Promise<void> {
  await replaceFile(files, `${serverFolder(dataDir)}/${REQUEST}`, new TextEncoder().encode("rebuild\n"));
}

/** Whether an operator asked; asked once, it counts once. */
export async function takeRebuildRequest(files: Files, dataDir: string): Promise<boolean> {
  const path = `${serverFolder(dataDir)}/${REQUEST}`;
  if ((await files.size(path)) === undefined) return false;
  await files.remove(path);
  return true;
}

export async function writeLogStatus(files: Files, dataDir: string, status: LogStatus): Promise<void> {
  await replaceFile(
    files,
    `${serverFolder(dataDir)}/${STATUS}`,
    new TextEncoder().encode(`${JSON.stringify(status)}\n`),
  );
}

export async function readLogStatus(files: Files, dataDir: string): Promise<LogStatus | undefined> {
  const path = `${serverFolder(dataDir)}/${STATUS}`;
  if ((await files.size(path)) === undefined) return undefined;
  return JSON.parse(new TextDecoder().decode(await files.read(path))) as LogStatus;
}
