import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A started process of ours: its log lines, and ways to end it. */
export interface Started {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Parsed JSON log lines so far, oldest first; at most the last few thousand. */
  readonly lines: readonly LogLine[];
  /** The first line, past or future, for which `match` holds. Rejects with the last lines when the process ends or time is up. */
  line(match: (line: LogLine) => boolean, timeoutMs: number): Promise<LogLine>;
  /** SIGTERM, and SIGKILL when that does not end it within `graceMs`. Resolves when it has ended. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL. Resolves when it has ended. */
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<void>;
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

const LINES_KEPT = 5000;

export function start(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const lines: LogLine[] = [];
  const listeners = new Set<() => void>();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const take = (text: string) => {
    lines.push(parse(text));
    if (lines.length > LINES_KEPT) lines.shift();
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on("line", take);
  let over = false;
  void ended.then(() => {
    over = true;
    for (const listener of listeners) listener();
  });
  return {
    name,
    pid: child.pid ?? -1,
    child,
    lines,
    line: (match, timeoutMs) =>
      new Promise((resolve, reject) => {
        const finish = (act: () => void) => {
          listeners.delete(look);
          clearTimeout(timer);
          act();
        };
        const fail = (why: string) => {
          const last = lines
            .slice(-15)
            .map((line) => JSON.stringify(line))
            .join("\n");
          finish(() => reject(new Error(`${name}: ${why}; its last lines:\n${last}`)));
        };
        const look = () => {
          const found = lines.find(match);
          if (found !== undefined) finish(() => resolve(found));
          else if (over) fail(`ended (exit ${child.exitCode}, signal ${child.signalCode})`);
        };
        const timer = setTimeout(() => fail(`no such line within ${timeoutMs} ms`), timeoutMs);
        listeners.add(look);
        look();
      }),
    async stop(graceMs = 8000) {
      if (over) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
    async kill() {
      if (over) return;
      child.kill("SIGKILL");
      await ended;
    },
    signal: (signal) => void child.kill(signal),
    ended,
  };
}

function parse(text: string): LogLine {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === "object" && line !== null && "msg" in line && typeof line.msg === "string")
      return { ...line, msg: line.msg };
  } catch {
    // Not every line is ours: Node and nats-server print text.
  }
  return { msg: text };
}
