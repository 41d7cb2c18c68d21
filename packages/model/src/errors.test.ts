import { describe, expect, it } from "vitest";
import { type ErrorCode, GRPC_STATUS, HTTP_STATUS, isErrorCode, SteppeError } from "./errors.ts";

const codes = Object.keys(HTTP_STATUS) as ErrorCode[];

describe("error codes", () => {
  it("both mappings: the same codes", () => {
    expect(Object.keys(GRPC_STATUS).sort()).toEqual([...codes].sort());
  });

  it.each(codes)("%s: an HTTP error status and a gRPC error status", (code) => {
    expect(HTTP_STATUS[code]).toBeGreaterThanOrEqual(400);
    expect(HTTP_STATUS[code]).toBeLessThan(600);
    expect(GRPC_STATUS[code]).toBeGreaterThan(0);
    expect(GRPC_STATUS[code]).toBeLessThanOrEqual(16);
  });

  it("only codes of the list are codes, inherited names are not", () => {
    expect(codes.every(isErrorCode)).toBe(true);
    expect(["", "toString", "constructor", "nope"].some(isErrorCode)).toBe(false);
  });

  it("an error: keeps code, text and cause", () => {
    const cause = new Error("inner");
    const error = new SteppeError("no-quorum", "region has no quorum", { cause });
    expect(error).toMatchObject({ name: "SteppeError", code: "no-quorum", message: "region has no quorum", cause });
  });
});
