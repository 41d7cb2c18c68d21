import { Command, Entry } from "@steppe/proto";

// An entry on the wire is its time and then its commands, each with a tag and a length. So the
// bytes of an entry are put together from commands that were encoded, once, when they arrived.

const COMMANDS_TAG = (2 << 3) | 2;
/** Tag and ten bytes of a 64-bit varint. */
const TIME_BYTES_MAX = 11;

/** Most bytes that an entry of this one command takes. */
export function entrySizeOf(command: Uint8Array): number {
  return TIME_BYTES_MAX + framedSizeOf(command);
}

/** What a command adds to an entry, bytes. */
export function framedSizeOf(command: Uint8Array): number {
  return 1 + varintSize(command.length) + command.length;
}

/** The same bytes as `Entry.encode` of the time and the decoded commands. */
export function encodeEntry(time: number, commands: readonly Uint8Array[]): Uint8Array {
  const head = Entry.encode({ Time: time, Commands: [] }).finishShared();
  let size = head.length;
  for (const command of commands) size += framedSizeOf(command);
  const bytes = new Uint8Array(size);
  bytes.set(head);
  let at = head.length;
  for (const command of commands) {
    bytes[at++] = COMMANDS_TAG;
    at = writeVarint(bytes, at, command.length);
    bytes.set(command, at);
    at += command.length;
  }
  return bytes;
}

export function encodeCommand(
  requestId: string,
  seed: Uint8Array,
  kind: NonNullable<Command["Kind"]>,
  fingerprint = "",
): Uint8Array {
  return Command.encode({ RequestID: requestId, IDSeed: seed, Kind: kind, Fingerprint: fingerprint }).finishShared();
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let position = at;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes[position++] = (rest & 0x7f) | 0x80;
  bytes[position++] = rest;
  return position;
}
