import type { Files } from "@steppe/model";

/** Puts `bytes` under `path` so that a crash at any point leaves the file as it was or as it should be. */
export async function replaceFile(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const file = await files.create(temporary);
  try {
    await file.append(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, path);
  await files.syncFolder(path.slice(0, path.lastIndexOf("/")));
}
