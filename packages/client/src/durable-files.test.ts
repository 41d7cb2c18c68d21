import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { canMount, smallDisk } from "@steppe/runtime/internal";
import { describe, expect, test } from "vitest";
import { writeAtomic } from "./durable-files.ts";

describe.runIf(canMount)("the node agent's files on a disk of 64 KiB", () => {
  test.each([true, false])("that fills up (sync %s): the file is as it was, and the error says why", (sync) => {
    using disk = smallDisk(64);
    const path = join(disk.folder, "state.json");
    writeAtomic(path, "as it was", { sync });
    expect(() => writeAtomic(path, "x".repeat(100_000), { sync })).toThrow("ENOSPC");
    expect(readFileSync(path, "utf8")).toBe("as it was");
    expect(readdirSync(disk.folder)).toEqual(["state.json"]);
    writeAtomic(path, "new", { sync });
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  test("that turns read-only, the file is as it was, and the error says why", () => {
    using disk = smallDisk(64);
    const path = join(disk.folder, "state.json");
    writeAtomic(path, "as it was");
    disk.readOnly(true);
    expect(() => writeAtomic(path, "new")).toThrow("EROFS");
    expect(readFileSync(path, "utf8")).toBe("as it was");
  });
});
