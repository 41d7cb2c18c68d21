import { compareText } from "@steppe/model";
import type { NodeDeviceAttribute } from "@steppe/proto";
import { operandOf } from "./operand.ts";

/** What a target of a device constraint is: text, truth, or a number in the base unit of its dimension. */
export type DeviceValue = string | boolean | { readonly number: number; readonly dimension: string };

const BINARY = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].map((unit, i) => [unit, 1024 ** (i + 1)] as const);
const DECIMAL = ["kB", "MB", "GB", "TB", "PB", "EB"].map((unit, i) => [unit, 1000 ** (i + 1)] as const);
const BYTES = [...BINARY, ...DECIMAL, ["KB", 1000] as const];

/** By unit: its dimension, and how many of the base unit it is. */
const UNITS: ReadonlyMap<string, readonly [dimension: string, factor: number]> = new Map([
  ...unitsOf("bytes", BYTES),
  ...unitsOf(
    "bytes a second",
    BYTES.map(([unit, factor]) => [`${unit}/s`, factor]),
  ),
  ...unitsOf("hertz", [
    ["MHz", 1e6],
    ["GHz", 1e9],
  ]),
  ...unitsOf("watts", [
    ["mW", 1e-3],
    ["W", 1],
    ["kW", 1e3],
    ["MW", 1e6],
    ["GW", 1e9],
  ]),
]);

function unitsOf(
  dimension: string,
  units: readonly (readonly [unit: string, factor: number])[],
): [string, readonly [string, number]][] {
  return units.map(([unit, factor]) => [unit, [dimension, factor]]);
}

/** Longest first, so that "MiB/s" is not taken for seconds of something. */
const SUFFIXES = [...UNITS.keys()].sort((a, b) => b.length - a.length);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const TRUTHS: Readonly<Record<string, boolean>> = {
  ...{ t: true, T: true, true: true, TRUE: true, True: true },
  ...{ f: false, F: false, false: false, FALSE: false, False: false },
};

/** A literal: a number with or without a unit ("4 GiB"), a truth value, else text. */
export function parseDeviceValue(text: string): DeviceValue {
  const unit = SUFFIXES.find((it) => text.endsWith(it)) ?? "";
  const digits = text.slice(0, text.length - unit.length).trim();
  if (NUMBER.test(digits)) return inUnit(Number(digits), unit);
  return Object.hasOwn(TRUTHS, text) ? (TRUTHS[text] as boolean) : text;
}

export function deviceValue({ Float, Int, String: text, Bool, Unit }: NodeDeviceAttribute): DeviceValue | undefined {
  const number = Int ?? Float;
  return number === undefined ? (text ?? Bool) : inUnit(number, Unit);
}

function inUnit(number: number, unit: string): DeviceValue {
  const [dimension, factor] = UNITS.get(unit) ?? ["", 1];
  return { number: number * factor, dimension };
}

/** Undefined when the two cannot be compared. Truth values have no order: 1 means that they differ. */
export function compareDeviceValues(a: DeviceValue, b: DeviceValue): number | undefined {
  if (typeof a === "string") return typeof b === "string" ? Math.sign(compareText(a, b)) : undefined;
  if (typeof a === "boolean") return typeof b === "boolean" ? Number(a !== b) : undefined;
  if (typeof b !== "object" || a.dimension !== b.dimension) return undefined;
  return Math.sign(a.number - b.number);
}

export type DeviceHolds = (left: DeviceValue | undefined, right: DeviceValue | undefined) => boolean;

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  "": (order) => order === 0,
  "=": (order) => order === 0,
  "==": (order) => order === 0,
  is: (order) => order === 0,
  "<": (order) => order === -1,
  "<=": (order) => order !== 1,
  ">": (order) => order === 1,
  ">=": (order) => order !== -1,
};

/** What an operand means between targets of a device; unknown ones hold for none. */
export function deviceOperand(word: string): DeviceHolds {
  if (word === "!=" || word === "not") return differs;
  if (word === "is_set") return (left) => left !== undefined;
  if (word === "is_not_set") return (left) => left === undefined;
  const compares = Object.hasOwn(COMPARISONS, word) ? COMPARISONS[word] : undefined;
  if (compares !== undefined) {
    return (left, right) => {
      const order = left === undefined || right === undefined ? undefined : compareDeviceValues(left, right);
      return order !== undefined && compares(order);
    };
  }
  return overText(word);
}

/** One missing side differs from anything; values that cannot be compared do not even differ. */
const differs: DeviceHolds = (left, right) => {
  if (left === undefined || right === undefined) return left !== right;
  const order = compareDeviceValues(left, right);
  return order !== undefined && order !== 0;
};

/** Versions, expressions and sets mean what they mean of nodes. Of numbers only whole ones are versions. */
function overText(word: string): DeviceHolds {
  const holds = operandOf(word);
  const isVersion = word === "version" || word === "semver";
  return (left, right) => {
    const number = typeof left === "object" && isVersion && Number.isInteger(left.number) ? String(left.number) : left;
    return typeof number === "string" && typeof right === "string" && (holds?.(number, right) ?? false);
  };
}
