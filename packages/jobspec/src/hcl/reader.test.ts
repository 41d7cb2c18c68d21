import { describe, expect, test } from "vitest";
import { parseHcl } from "./parse.ts";
import { BodyReader } from "./reader.ts";
import { locate } from "./source.ts";

const read = (text: string, filename = "a.hcl") => new BodyReader(parseHcl(text, filename, { dialect: "hcl1" }));

describe("body reader", () => {
  test.each([
    ["blocks", 'volume "a" { path = "/a" }\nvolume "b" { path = "/b" }', "a.hcl"],
    ["objects", 'volume = { a = { path = "/a" }, b = { path = "/b" } }', "a.hcl"],
    ["JSON", '{"volume": {"a": {"path": "/a"}, "b": {"path": "/b"}}}', "a.json"],
    ["JSON lists", '{"volume": [{"a": [{"path": "/a"}]}, {"b": [{"path": "/b"}]}]}', "a.json"],
  ])("labelled blocks written as %s: same labels and bodies", (_, text, filename) => {
    const blocks = read(text, filename).blocks("volume", 1);

    expect(blocks.map(({ labels }) => labels)).toEqual([["a"], ["b"]]);
    expect(blocks.map(({ body }) => new BodyReader(body).attribute("path")?.value)).toMatchObject([
      { value: "/a" },
      { value: "/b" },
    ]);
  });

  test("names nobody asked for: listed with their lines", () => {
    const reader = read("a = 1\nb {}\nc = 2\nb {}");
    reader.attribute("a");

    expect(reader.unknown().map(({ name, at }) => [name, locate(at).line])).toEqual([
      ["b", 2],
      ["c", 3],
    ]);
  });

  test("a block where an option is meant, and the other way round: refused with the place", () => {
    expect(() => read("a {}").attribute("a")).toThrow('a.hcl:1:1: "a" is an option, not a block');
    expect(() => read("a = 1").blocks("a")).toThrow('a.hcl:1:5: "a" is a block');
    expect(() => read('a "x" {}').blocks("a")).toThrow('a.hcl:1:1: block "a" takes no labels');
  });
});
