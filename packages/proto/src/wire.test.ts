// The shorter ways give what the library gives, byte for byte and value for value.
import { BinaryReader as LibraryReader, BinaryWriter as LibraryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BinaryReader, BinaryWriter } from "./wire.ts";

type Value =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "uint32" | "int32" | "int64" | "uint64"; readonly value: number };

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 200 }), fc.uuid()).map((it): Value => {
    return { kind: "string", value: it };
  }),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((it): Value => ({ kind: "uint32", value: it })),
  fc.integer().map((it): Value => ({ kind: "int32", value: it })),
  fc.maxSafeInteger().map((it): Value => ({ kind: "int64", value: it })),
  fc.maxSafeNat().map((it): Value => ({ kind: "uint64", value: it })),
  // Nanoseconds of a clock: beyond what integers of a double hold one by one.
  fc.nat().map((it): Value => ({ kind: "int64", value: 1.76e18 + it * 1e6 })),
);

function write(writer: LibraryWriter, values: readonly Value[]): Uint8Array {
  for (const { kind, value } of values) {
    if (kind === "string") writer.string(value);
    else if (kind === "int32" || kind === "uint32") writer[kind](value);
    // The library's types want a bigint, and ours take numbers.
    else writer[kind](writer instanceof BinaryWriter ? (value as never) : BigInt(value));
  }
  return writer.finish();
}

function read(reader: LibraryReader, values: readonly Value[]): unknown[] {
  return values.map(({ kind }) => {
    const it = reader[kind]();
    return typeof it === "bigint" ? Number(it) : it;
  });
}

describe("wire", () => {
  test("any values: written as by the library, read as by the library", () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const bytes = write(new BinaryWriter(), values);
        expect(bytes).toEqual(write(new LibraryWriter(), values));
        expect(read(new BinaryReader(bytes), values)).toEqual(read(new LibraryReader(bytes), values));
      }),
      { numRuns: 500 },
    );
  });

  test("bytes that end early: refused as by the library", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.nat(), (values, cut) => {
        const whole = write(new BinaryWriter(), values);
        const bytes = whole.subarray(0, cut % whole.length);
        const outcome = (reader: LibraryReader) => {
          try {
            return read(reader, values);
          } catch (error) {
            return error instanceof Error ? error.message : error;
          }
        };
        expect(outcome(new BinaryReader(bytes))).toEqual(outcome(new LibraryReader(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  test("a writer begun before another is done: each keeps its own bytes", () => {
    const outer = new BinaryWriter().string("outer");
    const inner = new BinaryWriter().string("inner, longer").finish();
    const next = new BinaryWriter().string("next");
    expect(new BinaryReader(outer.finish()).string()).toBe("outer");
    expect(new BinaryReader(inner).string()).toBe("inner, longer");
    expect(new BinaryReader(next.finish()).string()).toBe("next");
  });

  test("finished into shared memory: the same bytes, which what comes later does not touch", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 20_000 }), { maxLength: 20 }), (texts) => {
        const shared = texts.map((text) => new BinaryWriter().string(text).finishShared());
        expect(shared).toEqual(texts.map((text) => new BinaryWriter().string(text).finish()));
      }),
      { numRuns: 200 },
    );
  });

  test.each([-1, 2 ** 32, 1.5, Number.NaN])("%s as uint32: refused", (wrong) => {
    expect(() => new BinaryWriter().uint32(wrong)).toThrow(/invalid uint32/);
  });
});
