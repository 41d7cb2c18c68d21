import { describe, expect, test } from "vitest";
import type { Scope } from "../evaluate.ts";
import { PURE_FUNCTIONS } from "../functions.ts";
import { evaluating } from "../testkit.ts";
import type { Value } from "../value.ts";

const scope: Scope = { variables: new Map(), functions: PURE_FUNCTIONS };
const { evaluated, errorOf } = evaluating(scope);

// The peer's documentation gives these examples with these results.
describe("functions, with arguments as documented, give what is documented", () => {
  test.each<[source: string, value: Value]>([
    ['cidrhost("10.12.127.0/20", 16)', "10.12.112.16"],
    ['cidrhost("10.12.127.0/20", 268)', "10.12.113.12"],
    ['cidrhost("10.12.127.0/20", -1)', "10.12.127.255"],
    ['cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)', "fd00:fd12:3456:7890::22"],
    ['cidrnetmask("172.16.0.0/12")', "255.240.0.0"],
    ['cidrnetmask("0.0.0.0/0")', "0.0.0.0"],
    ['cidrsubnet("172.16.0.0/12", 4, 2)', "172.18.0.0/16"],
    ['cidrsubnet("10.1.2.0/24", 4, 15)', "10.1.2.240/28"],
    ['cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)', "fd00:fd12:3456:7800:a200::/72"],
    ['cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)', ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]],
    [
      'cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32)',
      [
        ...["fd00:fd12:3456:7800::/72", "fd00:fd12:3456:7800:100::/72", "fd00:fd12:3456:7800:200::/72"],
        "fd00:fd12:3456:7800:300::/88",
      ],
    ],
    ['formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")', "02 Jan 2018 23:12 UTC"],
    ['formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")', "Tuesday, 02-Jan-18 23:12:01 UTC"],
    ['formatdate("EEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01-08:00")', "Tue, 02 Jan 2018 23:12:01 -0800"],
    ['formatdate("MMM DD, YYYY", "2018-01-02T23:12:01Z")', "Jan 02, 2018"],
    ['formatdate("HH:mmaa", "2018-01-02T23:12:01Z")', "11:12pm"],
    [`formatdate("h'h'mm", "2018-01-02T23:12:01-08:00")`, "23h12"],
    [`formatdate("H 'o''clock'", "2018-01-02T23:12:01-08:00")`, "11 o'clock"],
    [`formatdate("YYYY-MM-DD'T'hh:mm:ssZ", "2018-01-02T23:12:01-08:00")`, "2018-01-02T23:12:01-08:00"],
    ['formatdate("ZZZZZ ZZZZ M D h m s YY AA", "0999-03-04T00:05:06Z")', "+00:00 +0000 3 4 0 5 6 99 AM"],
    ['timeadd("2017-11-22T00:00:00Z", "10m")', "2017-11-22T00:10:00Z"],
    ['yamlencode({a = "b", c = "d"})', '"a": "b"\n"c": "d"\n'],
    ['yamlencode({foo = [1, 2, 3], bar = "baz"})', '"bar": "baz"\n"foo":\n- 1\n- 2\n- 3\n'],
    [
      'yamlencode({foo = [1, {a = "b", c = "d"}, 3], bar = "baz"})',
      '"bar": "baz"\n"foo":\n- 1\n- "a": "b"\n  "c": "d"\n- 3\n',
    ],
    ['yamldecode("hello: world")', { hello: "world" }],
    ['yamldecode("true")', true],
    ['yamldecode("{a: &foo [1, 2, 3], b: *foo}")', { a: [1, 2, 3], b: [1, 2, 3] }],
    ['yamldecode("a: [1.5, null, \\"x\\"]")', { a: [1.5, null, "x"] }],
    ['basename("foo/bar/baz.txt")', "baz.txt"],
    ['basename("a/")', "a"],
    ['basename("/")', "/"],
    ['dirname("foo/bar/baz.txt")', "foo/bar"],
    ['dirname("baz.txt")', "."],
    ['dirname("/a/../b/c")', "/b"],
  ])("%s", (source, value) => expect(evaluated(source)).toEqual(value));
});

describe("functions, with what they cannot take, say so", () => {
  test.each([
    ['cidrhost("10.0.0.0", 1)', "e.hcl:1:1: cidrhost: invalid CIDR address: 10.0.0.0"],
    ['cidrhost("10.1/16", 1)', "e.hcl:1:1: cidrhost: invalid CIDR address: 10.1/16"],
    ['cidrhost("10.0.0.0/30", 4)', "e.hcl:1:1: cidrhost: prefix of 30 does not have a host 4"],
    ['cidrnetmask("fd00::/8")', "e.hcl:1:1: cidrnetmask: IPv6 addresses have no netmask; only IPv4 prefixes do"],
    ['cidrsubnet("10.0.0.0/30", 3, 0)', "not enough remaining address space to extend the prefix by 3 bits"],
    ['cidrsubnet("10.0.0.0/8", 1, 2)', "prefix extension of 1 does not have a subnet 2"],
    ['cidrsubnets("10.0.0.0/31", 1, 1, 1)', "not enough remaining address space for a prefix of 32 bits"],
    ['cidrsubnets("10.0.0.0/31", 0)', "must extend the prefix by at least one bit"],
    ['formatdate("YYY", "2018-01-02T23:12:01Z")', 'unknown format verb "YYY"'],
    [`formatdate("'x", "2018-01-02T23:12:01Z")`, "unterminated literal '"],
    ['formatdate("YYYY", "2018-02-30T00:00:00Z")', 'not a valid RFC3339 timestamp: "2018-02-30T00:00:00Z"'],
    ['formatdate("YYYY", "yesterday")', "not a valid RFC3339 timestamp"],
    ['timeadd("x", "1h")', "expected a time such as 2006-01-02T15:04:05Z"],
    ['yamldecode("a: [1")', "yamldecode: malformed YAML: "],
    ['yamldecode("a: *b")', "yamldecode: malformed YAML: "],
    ['yamldecode("a: 1\\nb: 2\\na: 3")', 'malformed YAML: key "a" comes twice'],
    [`yamldecode("${"a".repeat(200_000)}")`, "more than 128 KiB of YAML in one file"],
    ['yamldecode("a: .inf")', "a value of a kind that job files do not have"],
    [`yamldecode("${"[".repeat(300)}${"]".repeat(300)}")`, "nested more than 200 levels deep"],
  ])("%.60s", (source, text) => expect(errorOf(source)).toContain(text));

  test("aliases that stand for millions of values, are refused before they are followed", () => {
    const rows = Array.from({ length: 12 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i},`.repeat(9)}]`);
    const bomb = ["x0: &x0 [a]", ...rows].join("\\n");
    expect(errorOf(`yamldecode("${bomb}")`)).toContain("malformed YAML");
  });
});
