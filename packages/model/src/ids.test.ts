import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveId, formatId, parseId } from "./ids.ts";

const seed = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe("ids", () => {
  it("any 16 bytes, through their text, are the same bytes", () => {
    fc.assert(
      fc.property(seed, (bytes) => {
        expect(parseId(formatId(bytes))).toEqual(bytes);
        expect(formatId(bytes)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      }),
    );
  });

  it("inside a larger buffer: written and read at the offset, the rest untouched", () => {
    const buffer = new Uint8Array(20).fill(7);
    parseId("00112233-4455-6677-8899-aabbccddeeff", buffer, 2);
    expect(formatId(buffer, 2)).toBe("00112233-4455-6677-8899-aabbccddeeff");
    expect([buffer[0], buffer[1], buffer[18], buffer[19]]).toEqual([7, 7, 7, 7]);
  });

  it.each(["", "not an id", "00112233-4455-6677-8899-aabbccddeef"])("%j: refused", (text) => {
    expect(() => parseId(text)).toThrow(/not an id/);
  });

  it("ids derived from one seed: all different, and the same when derived again", () => {
    fc.assert(
      fc.property(seed, (bytes) => {
        const ids = Array.from({ length: 200 }, (_, n) => deriveId(bytes, n));
        expect(new Set(ids).size).toBe(200);
        expect(deriveId(bytes, 199)).toBe(ids[199]);
      }),
      { numRuns: 20 },
    );
  });

  it("a seed that is a view into a larger buffer: only its own bytes count", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect(deriveId(bytes.subarray(8, 24), 3)).toBe(deriveId(bytes.slice(8, 24), 3));
  });
});
