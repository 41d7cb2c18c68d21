import { createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { askForRebuild, inspectLog, inspectSnapshot } from "@steppe/server";
import { type CommandLine, readFlags, UsageError } from "../command-line.ts";

export const usage = `Usage: steppe operator snapshot save [options] FILE
       steppe operator snapshot restore [options] FILE
       steppe operator snapshot inspect FILE
       steppe operator log status -data-dir PATH
       steppe operator log rebuild -data-dir PATH

  snapshot save        Writes the state of a region into FILE, which appears only when it is whole.
  snapshot restore     Replaces the region's state by the one in FILE, under a larger index than any
                       before. What was written since the snapshot is gone.
  snapshot inspect     Tells what is in FILE, and whether it is whole.
  -address URL         HTTP API of an agent; NOMAD_ADDR, or http://127.0.0.1:4646, unless set.
  -region NAME         The region, where it is not the agent's own; NOMAD_REGION unless set.

  log status           Tells which log the server of this data directory follows, or why it follows
                       none, and how far its journal goes. On the server's machine.
  log rebuild          Asks the server of this data directory, which must be running and wait, to
                       rebuild the region's log from what it holds. Entries that only other servers
                       hold are then lost: choose the one whose journal goes furthest.
  -data-dir PATH       The data_dir of the server.`;

const ADDRESS = "http://127.0.0.1:4646";

export async function run([noun, verb, ...args]: CommandLine): Promise<number> {
  switch (`${noun} ${verb}`) {
    case "snapshot save":
      return await save(args);
    case "snapshot restore":
      return await restore(args);
    case "snapshot inspect":
      return await inspect(args);
    case "log status":
      return await status(dataDirOf(args));
    case "log rebuild":
      await askForRebuild(dataDirOf(args));
      process.stdout.write("asked; the server's log tells what comes of it\n");
      return 0;
    default:
      throw new UsageError(
        'say "snapshot save", "snapshot restore", "snapshot inspect", "log status" or "log rebuild"',
      );
  }
}

function fileAndAddress(args: CommandLine): { file: string; url: string; headers: Record<string, string> } {
  const file = args.at(-1);
  if (file === undefined || file.startsWith("-")) throw new UsageError("FILE is needed");
  const flags = readFlags(args.slice(0, -1), { address: "text", region: "text" });
  const { address = process.env.NOMAD_ADDR ?? ADDRESS, region = process.env.NOMAD_REGION ?? "" } = flags;
  const url = new URL("/v1/operator/snapshot", address);
  if (region !== "") url.searchParams.set("region", region);
  const token = process.env.NOMAD_TOKEN;
  return {
    file,
    url: url.href,
    headers: token === undefined ? {} : { "X-Nomad-Token": token },
  };
}

async function save(args: CommandLine): Promise<number> {
  const { file, url, headers } = fileAndAddress(args);
  const response = await ask(url, { headers });
  if (response.body === null) throw new Error("the server sent nothing");
  const temporary = `${file}.new`;
  try {
    await pipeline(Readable.fromWeb(response.body), createWriteStream(temporary, { mode: 0o600, flush: true }));
    const { about, bytes } = await inspectSnapshot(temporary);
    await rename(temporary, file);
    process.stdout.write(`saved region ${about.region} at index ${about.index}, ${bytes} bytes, to ${file}\n`);
    return 0;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function restore(args: CommandLine): Promise<number> {
  const { file, url, headers } = fileAndAddress(args);
  await inspectSnapshot(file);
  const handle = await open(file);
  const body = Readable.toWeb(handle.createReadStream());
  const response = await ask(url, { method: "PUT", headers, body, duplex: "half" });
  const { Index } = (await response.json()) as { Index: number };
  process.stdout.write(`restored ${file}; the region goes on at index ${Index}\n`);
  return 0;
}

async function ask(url: string, init: object): Promise<Response> {
  const response = await fetch(url, init).catch((error: Error) => {
    throw new Error(`cannot reach ${url}: ${String(error.cause ?? error.message)}`);
  });
  if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).trim()}`);
  return response;
}

async function inspect([file]: CommandLine): Promise<number> {
  if (file === undefined) throw new UsageError("FILE is needed");
  const { about, bytes, counts } = await inspectSnapshot(file);
  const rows: [string, string | number][] = [
    ["region", about.region],
    ["index", about.index],
    ["time", new Date(about.time / 1e6).toISOString()],
    ["log epoch", about.log.epoch],
    ["digest", about.digest],
    ["written by", `steppe ${about.version}`],
    ["bytes", bytes],
    ...Object.entries(counts),
  ];
  print(rows);
  return 0;
}

function dataDirOf(args: CommandLine): string {
  const { "data-dir": dataDir } = readFlags(args, { "data-dir": "text" });
  if (dataDir === undefined) throw new UsageError("-data-dir is needed");
  return dataDir;
}

async function status(dataDir: string): Promise<number> {
  const { status, time, identity, first, last } = await inspectLog(dataDir);
  print([
    ["status", status ?? "unknown"],
    ["as of", time === 0 ? "never" : new Date(time / 1e6).toISOString()],
    ["log epoch", identity === undefined ? "none" : identity.epoch],
    ["log id", identity?.id || "-"],
    ["log base", identity?.base ?? 0],
    ["journal from", first],
    ["journal to", last],
  ]);
  return 0;
}

function print(rows: readonly (readonly [string, string | number])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(width)}  ${value}\n`);
}
