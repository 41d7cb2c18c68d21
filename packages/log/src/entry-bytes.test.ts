import { Command, Entry } from "@steppe/proto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCommand, encodeEntry, entrySizeOf, framedSizeOf } from "./entry-bytes.ts";

const command = fc.record({
  RequestID: fc.string({ maxLength: 40 }),
  IDSeed: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  Message: fc.string({ maxLength: 300 }),
});

test("entry bytes: any time and commands, are what Entry.encode gives", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 53 - 1 }), fc.array(command, { maxLength: 20 }), (time, drawn) => {
      const commands = drawn.map(({ RequestID, IDSeed, Message }) =>
        Command.create({
          RequestID,
          IDSeed,
          Kind: { $case: "UpdateNodeStatus", value: { NodeIDs: [], Status: "ready", Message, Term: 0 } },
        }),
      );
      const parts = commands.map(({ RequestID, IDSeed, Kind }) =>
        encodeCommand(RequestID, IDSeed, Kind as NonNullable<typeof Kind>),
      );
      const bytes = encodeEntry(time, parts);
      expect(Buffer.compare(bytes, Entry.encode({ Time: time, Commands: commands }).finish())).toBe(0);
      const [first, ...others] = parts;
      if (first === undefined) return;
      const bound = others.reduce((size, part) => size + framedSizeOf(part), entrySizeOf(first));
      expect(bytes.length).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 200 },
  );
});

test("entry bytes: commands whose length takes one, two, three and four bytes, decode again", () => {
  const lengths = [10, 127, 128, 16_383, 16_384, 3_000_000];
  const parts = lengths.map((length) =>
    encodeCommand("x".repeat(length), new Uint8Array(16), { $case: "Barrier", value: {} }),
  );
  const entry = Entry.decode(encodeEntry(1, parts));
  expect(entry.Commands.map(({ RequestID }) => RequestID.length)).toEqual(lengths);
});
