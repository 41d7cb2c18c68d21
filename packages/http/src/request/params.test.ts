import { describe, expect, it } from "vitest";
import { boolParam, intParam, parseParams } from "./params.ts";

describe("parseParams", () => {
  const cases: [string, Record<string, string>][] = [
    ["", {}],
    ["a=1&b=2", { a: "1", b: "2" }],
    ["stale&a=", { stale: "", a: "" }],
    ["a=1&a=2", { a: "1" }],
    ["a=x+y%20z%2Fw", { a: "x y z/w" }],
    ["a=b=c", { a: "b=c" }],
    ["a=%zz&b=1", { b: "1" }],
    ["a=1;b=2&c=3", { c: "3" }],
    ["&&a=1&", { a: "1" }],
    ["__proto__=x", { ["__proto__"]: "x" }],
  ];
  it.each(cases)("%s", (text, expected) => {
    expect(Object.entries(parseParams(text))).toEqual(Object.entries(expected));
  });
});

describe("write parameters", () => {
  it("bool: absent and empty are false, Go's spellings count", () => {
    expect(boolParam(parseParams(""), "purge")).toBe(false);
    expect(boolParam(parseParams("purge="), "purge")).toBe(false);
    expect(boolParam(parseParams("purge=T"), "purge")).toBe(true);
    expect(boolParam(parseParams("purge=0"), "purge")).toBe(false);
  });

  it("integer: out of range is refused", () => {
    expect(intParam(parseParams("n=-3"), "n")).toBe(-3);
    expect(() => intParam(parseParams("n=99999999999999999999"), "n")).toThrow("value out of range");
  });
});
