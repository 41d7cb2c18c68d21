import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, in memory, of few bytes. */
export interface SmallDisk {
  readonly folder: string;
  /** From now on nothing can be written to it; or again. */
  readOnly(on: boolean): void;
  [Symbol.dispose](): void;
}

/** Whether this process may mount one; tests that need one are left out where it may not. */
export const canMount: boolean = tryToMount();

/** Mounts a file system of `kib` KiB. Dispose of it. */
export function smallDisk(kib: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "steppe-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder], { stdio: "pipe" });
  return {
    folder,
    readOnly: (on) => void execFileSync("mount", ["-o", `remount,${on ? "ro" : "rw"}`, folder], { stdio: "pipe" }),
    [Symbol.dispose]: () => {
      execFileSync("umount", ["-l", folder], { stdio: "pipe" });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tryToMount(): boolean {
  try {
    using _ = smallDisk(16);
    return true;
  } catch {
    process.stderr.write("this process may not mount file systems: tests of full and read-only disks are left out\n");
    return false;
  }
}
