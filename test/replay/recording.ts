// Recorded logs as files, a folder for each commit that recorded: `log.gz`, every entry with the
// digest of the state after it, and `snapshot-INDEX.gz`, the states at some indexes.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

export interface RecordedEntry {
  readonly payload: Uint8Array;
  /** Of the state once the entry is applied. */
  readonly digest: number;
}

export interface Recording {
  /** From index 1 on. */
  readonly entries: readonly RecordedEntry[];
  /** By index, in the format of the commit. */
  readonly snapshots: ReadonlyMap<number, Uint8Array>;
}

const FIXTURES = join(import.meta.dirname, "fixtures");
/** Length and digest, before each payload. */
const HEAD_BYTES = 12;

/** Commits whose logs and snapshots are kept. */
export function recordedCommits(): string[] {
  return readdirSync(FIXTURES).sort();
}

export function write(commit: string, { entries, snapshots }: Recording): void {
  const folder = join(FIXTURES, commit);
  mkdirSync(folder);
  const log = Buffer.concat(entries.flatMap(({ payload, digest }) => [head(payload.length, digest), payload]));
  writeFileSync(join(folder, "log.gz"), gzipSync(log, { level: 9 }));
  for (const [index, bytes] of snapshots) {
    writeFileSync(join(folder, `snapshot-${index}.gz`), gzipSync(bytes, { level: 9 }));
  }
}

export function read(commit: string): Recording {
  const folder = join(FIXTURES, commit);
  const snapshots = readdirSync(folder)
    .map((name) => /^snapshot-(\d+)\.gz$/.exec(name))
    .filter((match) => match !== null)
    .map(([name, index]) => [Number(index), gunzipSync(readFileSync(join(folder, name)))] as const)
    .sort(([a], [b]) => a - b);
  return { entries: [...entriesOf(gunzipSync(readFileSync(join(folder, "log.gz"))))], snapshots: new Map(snapshots) };
}

function head(length: number, digest: number): Uint8Array {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt32BE(length, 0);
  bytes.writeBigUInt64BE(BigInt(digest), 4);
  return bytes;
}

function* entriesOf(log: Buffer): Generator<RecordedEntry> {
  for (let at = 0; at < log.length; ) {
    const end = at + HEAD_BYTES + log.readUInt32BE(at);
    yield { payload: log.subarray(at + HEAD_BYTES, end), digest: Number(log.readBigUInt64BE(at + 4)) };
    at = end;
  }
}
