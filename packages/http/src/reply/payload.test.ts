import { describe, expect, it } from "vitest";
import { chooseEncoding, Payload } from "./payload.ts";

describe("chooseEncoding", () => {
  const rows: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["gzip", "gzip"],
    ["gzip, deflate, br", "gzip"],
    ["deflate, gzip", "deflate"],
    ["br;q=1.0, GZIP;q=0.5", "gzip"],
    ["gzip;q=0", undefined],
    ["gzip;q=0, deflate", "deflate"],
    ["br, identity", undefined],
    ["xgzip", undefined],
  ];
  it.each(rows)("%s: %s", (header, encoding) => {
    expect(chooseEncoding(header)).toBe(encoding);
  });
});

describe("Payload", () => {
  it("kept and asked for twice: packed once", async () => {
    const payload = new Payload("€".repeat(100));
    expect(payload.bytes).toBe(300);
    expect(await payload.packed("gzip")).toBe(await payload.packed("gzip"));
  });
});
