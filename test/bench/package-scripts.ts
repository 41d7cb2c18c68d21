// Scenarios that packages bring themselves, each a script that prints its own figures.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import type { Scenario } from "./scenario.ts";

const ROOT = join(import.meta.dirname, "../..");

export const PACKAGE_SCRIPTS: readonly Scenario[] = [
  script(
    "log",
    "packages/log/bench/append.ts",
    "appends a second through proposer and applier, embedded and JetStream",
  ),
  script("http", "packages/http/bench/get-job.ts", "GET of a job, requests a second and CPU each"),
  script("forward-call", "packages/regions/bench/forward.ts", "a read forwarded to a server of another region"),
];

function script(name: string, path: string, summary: string): Scenario {
  return {
    name,
    summary,
    async run() {
      const child = spawn(process.execPath, [join(ROOT, path)], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "close");
      const output = await readText(child.stdout);
      const [code] = await ended;
      if (code !== 0) throw new Error(`${path} ended with ${code}`);
      const rows = output
        .trimEnd()
        .split("\n")
        .map((line) => [line]);
      return [{ title: `${name}: ${path}`, columns: ["output"], rows }];
    },
  };
}
