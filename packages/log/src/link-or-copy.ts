import { copyFile, link, open } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Gives a durable file a second name, durably: the two go their own ways when either is replaced or removed. Where the file
 * system has no hard links, it is copied.
 */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to);
    await sync(to, "r+");
  }
  await sync(dirname(to), "r");
}

async function sync(path: string, flags: string): Promise<void> {
  await using file = await open(path, flags);
  await file.sync();
}
