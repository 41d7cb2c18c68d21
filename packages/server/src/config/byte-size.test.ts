import { expect, test } from "vitest";
import { formatByteSize, parseByteSize } from "./byte-size.ts";

test.each([
  ["1M", 1_000_000],
  ["700 kB", 700_000],
  ["1MiB", 1_048_576],
  ["1.5k", 1500],
  ["0", 0],
  ["x", undefined],
  ["1 parsec", undefined],
])("a size %j, is %j bytes", (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

test.each([
  [0, "0 B"],
  [33, "33 B"],
  [1_000_000, "1.0 MB"],
  [2_000_123, "2.0 MB"],
  [700_000, "700 kB"],
])("%j bytes, read %j", (bytes, text) => expect(formatByteSize(bytes)).toBe(text));
