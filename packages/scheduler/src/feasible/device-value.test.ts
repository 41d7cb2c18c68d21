import { NodeDeviceAttribute } from "@steppe/proto";
import { describe, expect, it } from "vitest";
import { type DeviceValue, deviceOperand, deviceValue, parseDeviceValue } from "./device-value.ts";

const int = (Int: number, Unit = "") => deviceValue(NodeDeviceAttribute.create({ Int, Unit }));
const float = (Float: number, Unit = "") => deviceValue(NodeDeviceAttribute.create({ Float, Unit }));
const text = (value: string) => deviceValue(NodeDeviceAttribute.create({ String: value }));
const bool = (Bool: boolean) => deviceValue(NodeDeviceAttribute.create({ Bool }));

describe("device operands", () => {
  it.each<[DeviceValue | undefined, string, string, boolean]>([
    [int(11, "GiB"), "=", "11 GiB", true],
    [int(11, "GiB"), ">", "10000 MB", true],
    [int(11, "GiB"), "<", "11265 MiB", true],
    [int(11, "GiB"), "<", "11263 MiB", false],
    [float(1.5, "GHz"), ">=", "1500MHz", true],
    [int(250, "W"), "<", "0.3kW", true],
    [int(10, "GB/s"), ">", "1 GiB/s", true],
    [int(3), "=", "3", true],
    [int(3), "=", "3.0", true],
    [int(3), "<=", "2", false],
    [bool(true), "=", "true", true],
    [bool(true), "!=", "false", true],
    [text("a100"), "=", "a100", true],
    [text("a100"), "<", "a200", true],
    [text("a100"), "not", "h100", true],
    [text("a100"), "regexp", "^a[0-9]+$", true],
    [text("a,b"), "set_contains", "b,a", true],
    [text("a,b"), "set_contains_any", "c,b", true],
    [text("1.10.2"), "version", ">= 1.2", true],
    [text("1.10.2"), "semver", ">= 1.11.0", false],
    [int(4), "version", ">= 3.0.0, < 5", true],
    [int(4), "is_set", "", true],
  ])("%j %s %s: %s", (left, operand, right, expected) => {
    expect(deviceOperand(operand)(left, parseDeviceValue(right))).toBe(expected);
  });

  it.each<[string, DeviceValue | undefined, string, string]>([
    ["other dimension", int(11, "GiB"), "=", "11 GHz"],
    ["other dimension does not even differ", int(11, "GiB"), "!=", "11 GHz"],
    ["a unit on one side only", int(11, "GiB"), ">", "10"],
    ["text against a number", text("abc"), "!=", "11"],
    ["truth against text", bool(true), "=", "yes"],
    ["expression over a number", int(11), "regexp", "11x?"],
    ["fraction as a version", float(1.5), "version", "> 1.0.0"],
    ["unknown operand", int(11), "~", "11"],
  ])("%s: does not hold", (_, left, operand, right) => {
    expect(deviceOperand(operand)(left, parseDeviceValue(right))).toBe(false);
  });

  it.each<[string, boolean]>([
    ["=", false],
    ["<", false],
    ["regexp", false],
    ["version", false],
    ["set_contains", false],
    ["is_set", false],
    ["!=", true],
    ["is_not_set", true],
  ])("a missing attribute %s something: %s", (operand, expected) => {
    expect(deviceOperand(operand)(undefined, parseDeviceValue("x"))).toBe(expected);
  });

  it("two missing attributes do not differ", () => {
    expect(deviceOperand("!=")(undefined, undefined)).toBe(false);
  });
});
