// Load by wrk, a process of its own that takes little of the machine: https://github.com/wg/wrk.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

const FOLDER = join(import.meta.dirname, "../load");

export interface Load {
  readonly url: string;
  /** Connections, each with one request under way. */
  readonly concurrency: number;
  readonly seconds: number;
  readonly headers?: readonly string[];
  /** Default: GET of the URL. */
  readonly register?: { readonly prefix: string; readonly body: string };
}

export interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesEach: number;
}

/** Rejects when wrk is absent, or any answer was not 2xx or 3xx. */
export async function wrk({ url, concurrency, seconds, headers = [], register }: Load): Promise<Measured> {
  const script = register === undefined ? "get.lua" : "register.lua";
  const args = ["-t1", `-c${concurrency}`, `-d${seconds}s`, "--timeout", "30s", "-s", join(FOLDER, script)];
  for (const header of headers) args.push("-H", header);
  args.push(url, ...(register === undefined ? [] : ["--", register.prefix, register.body]));
  const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const output = await readText(child.stdout);
  const [code] = await ended;
  const line = output.split("\n").find((it) => it.startsWith("{"));
  if (code !== 0 || line === undefined) throw new Error(`wrk ended with ${code}: ${output}`);
  const { requests, durationUs, bytes, failed, p50Us, p99Us } = JSON.parse(line) as Record<string, number>;
  if (failed) throw new Error(`${failed} of ${requests} requests failed: ${output}`);
  return {
    requests: requests as number,
    perSecond: ((requests as number) * 1e6) / (durationUs as number),
    p50Ms: (p50Us as number) / 1e3,
    p99Ms: (p99Us as number) / 1e3,
    bytesEach: (bytes as number) / (requests as number),
  };
}

/** Throws, telling how to get it, when wrk is not there. */
export function needWrk(): void {
  if (spawnSync("wrk", ["--version"], { stdio: "ignore" }).error === undefined) return;
  throw new Error("this scenario makes its load with wrk: apt-get install wrk (Debian), brew install wrk (macOS)");
}
