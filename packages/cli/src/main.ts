// The command. Each subcommand is loaded only when it is called, so that none pays for the others.
import { type CommandLine, UsageError } from "./command-line.ts";

interface Command {
  readonly summary: string;
  load(): Promise<{ readonly usage: string; run(args: readonly string[]): Promise<number> }>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  agent: { summary: "Run a server, a node agent, or both", load: () => import("./commands/agent.ts") },
  worker: { summary: "Run a scheduling worker", load: () => import("./commands/worker.ts") },
  "simulate-nodes": {
    summary: "Register many nodes that pretend to run what they are given",
    load: () => import("./commands/simulate-nodes.ts"),
  },
  operator: { summary: "Snapshots, and a region's log", load: () => import("./commands/operator.ts") },
  tls: { summary: "Make certificates for mutual TLS", load: () => import("./commands/tls.ts") },
  version: { summary: "Print the version", load: () => import("./commands/version.ts") },
};

const HELP_FLAGS = ["-h", "-help", "--help", "help"];
const VERSION_FLAGS = ["-v", "-version", "--version"];

async function main(args: CommandLine): Promise<number> {
  const [first = "help", ...rest] = args;
  const name = VERSION_FLAGS.includes(first) ? "version" : first;
  if (HELP_FLAGS.includes(first) && rest.length === 0) return help();
  const command = COMMANDS[HELP_FLAGS.includes(first) ? (rest[0] ?? "") : name];
  if (command === undefined) {
    process.stderr.write(`steppe: no command ${JSON.stringify(name)}\n\n`);
    help(process.stderr);
    return 127;
  }
  const { usage, run } = await command.load();
  if (HELP_FLAGS.includes(first) || rest.some((arg) => HELP_FLAGS.slice(0, 3).includes(arg))) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  try {
    return await run(rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`steppe ${name}: ${error.message}\n\n${usage}\n`);
    return 1;
  }
}

function help(out: NodeJS.WritableStream = process.stdout): number {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `    ${name.padEnd(width)}    ${summary}`);
  out.write(
    [
      "Usage: steppe <command> [options]",
      "",
      "Commands:",
      ...rows,
      "",
      "steppe <command> -help tells its options.",
    ].join("\n"),
  );
  out.write("\n");
  return 0;
}

// Not left to end by itself: what failed may have left a timer or a socket behind.
process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`steppe: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }),
);
