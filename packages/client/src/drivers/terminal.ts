// A command with a terminal of its own. script(1) opens and serves it (bsdutils, which every Debian has; util-linux
// elsewhere): Node has no pseudoterminals, and a native module would have to be compiled on each node.
//
// The terminal tells its name on a fourth stream before the command begins, so that its size can be set from
// outside; the kernel then tells the command. script sets no echo when its own input is no terminal, `stty sane` does.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { DriverError } from "./driver.ts";

const SCRIPT = "/usr/bin/script";
/** The size until somebody tells another. */
const PRELUDE = "tty >&3; exec 3>&-; stty sane rows 24 cols 80";
/** The kernel keeps sizes in 16 bits. */
const SIZE_MAX = 65_535;

export interface Terminal {
  readonly child: ChildProcessWithoutNullStreams;
  /** In characters. */
  readonly resize: (rows: number, columns: number) => void;
}

/** Throws `DriverError` where the machine lacks what it needs. */
export function startOnTerminal(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly detached: true },
): Terminal {
  if (!existsSync(SCRIPT)) throw new DriverError(`a terminal needs ${SCRIPT}, which this node lacks`, false);
  const line = [command, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const env = { TERM: "xterm", ...options.env, SHELL: "/bin/sh" };
  const child = spawn(SCRIPT, ["-q", "-e", "-f", "-c", `${PRELUDE}; exec ${line}`, "/dev/null"], {
    ...{ cwd: options.cwd, env, detached: options.detached },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  }) as ChildProcessWithoutNullStreams;
  const name = nameOf(child.stdio[3] as Readable);
  return {
    child,
    resize: (rows, columns) => {
      if (![rows, columns].every((it) => Number.isInteger(it) && it > 0 && it <= SIZE_MAX)) return;
      void name.then((path) => setSize(path, rows, columns));
    },
  };
}

/** `/dev/pts/7`; undefined where the command ended before it had one. */
function nameOf(stream: Readable): Promise<string | undefined> {
  let text = "";
  return new Promise((resolve) => {
    stream.on("data", (data: Buffer) => {
      text += data.toString("utf8");
      const path = /^(\/dev\/\S+)\n/.exec(text)?.[1];
      if (path !== undefined) resolve(path);
    });
    stream.once("close", () => resolve(undefined));
  });
}

function setSize(path: string | undefined, rows: number, columns: number): void {
  if (path === undefined) return;
  // One that comes when the command has ended finds no terminal, and nobody who would miss it.
  spawn("stty", ["-F", path, "rows", String(rows), "cols", String(columns)], { stdio: "ignore" }).on("error", () => {});
}
