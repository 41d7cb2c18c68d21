import type { Affinity, Constraint, Spread } from "@steppe/proto";
import { quote } from "../go-text.ts";
import { nested } from "../multi-error.ts";
import { compileRegexp } from "../regexp.ts";
import { isKnownTarget } from "../targets.ts";
import { parseConstraints } from "../version.ts";

/** What an operand needs on its right side. */
type RightSide = "value" | "set" | "none" | "count" | "regexp" | "version" | "semver" | "free";

/** Operands of constraints and affinities alike. */
const COMMON: Readonly<Record<string, RightSide>> = {
  "=": "value",
  "==": "value",
  is: "value",
  "!=": "value",
  not: "value",
  "<": "value",
  "<=": "value",
  ">": "value",
  ">=": "value",
  version: "version",
  semver: "semver",
  regexp: "regexp",
  set_contains: "set",
  set_contains_all: "set",
  set_contains_any: "set",
};

const CONSTRAINT_OPERANDS: Readonly<Record<string, RightSide>> = {
  ...COMMON,
  distinct_hosts: "free",
  distinct_property: "count",
  is_set: "none",
  is_not_set: "none",
};

export function validateConstraints(constraints: readonly Constraint[]): string[] {
  return constraints.flatMap((it, i) => nested(`Constraint ${i + 1} validation failed: `, validateConstraint(it)));
}

/** Those of a task, where asking for distinct hosts or properties means nothing. */
export function validateTaskConstraints(constraints: readonly Constraint[]): string[] {
  return constraints.flatMap((it, i) => {
    const errors = nested(`Constraint ${i + 1} validation failed: `, validateConstraint(it));
    if (it.Operand === "distinct_hosts" || it.Operand === "distinct_property") {
      errors.push(`Constraint ${i + 1} has disallowed Operand at task level: ${it.Operand}`);
    }
    return errors;
  });
}

function validateConstraint(constraint: Constraint): string[] {
  const { Operand, LTarget, RTarget } = constraint;
  const errors = Operand === "" ? ["Missing constraint operand"] : [];
  const rightSide = Object.hasOwn(CONSTRAINT_OPERANDS, Operand) ? CONSTRAINT_OPERANDS[Operand] : undefined;
  if (rightSide === undefined) errors.push(`Unknown constraint type ${quote(Operand)}`);
  else errors.push(...checkRightSide(rightSide, Operand, RTarget, "constraint"));
  if (LTarget === "" && Operand !== "distinct_hosts") errors.push("no attribute provided but is required by operator");
  if (!isKnownTarget(LTarget)) errors.push(`unsupported attribute ${quote(LTarget)}`);
  return errors;
}

function checkRightSide(side: RightSide, operand: string, text: string, noun: "constraint" | "affinity"): string[] {
  switch (side) {
    case "value":
      return text === "" ? [`Operator ${quote(operand)} requires an RTarget`] : [];
    case "set":
      if (text !== "") return [];
      return [
        noun === "constraint"
          ? "Set contains constraint requires an RTarget"
          : "Set contains operators require an RTarget",
      ];
    case "none":
      return text === "" ? [] : [`Operator ${quote(operand)} does not support an RTarget`];
    case "count":
      return text === "" ? [] : checkCount(text);
    case "regexp": {
      const compiled = compileRegexp(text);
      return "error" in compiled ? [`Regular expression failed to compile: ${compiled.error}`] : [];
    }
    case "version":
    case "semver": {
      const parsed = parseConstraints(text, side);
      return "error" in parsed
        ? [`${side === "version" ? "Version" : "Semver"} ${noun} is invalid: ${parsed.error}`]
        : [];
    }
    case "free":
      return [];
  }
}

function checkCount(text: string): string[] {
  const number = /^\d+$/.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number >= 1n << 64n) {
    const reason = number === undefined ? "invalid syntax" : "value out of range";
    return [`Failed to convert RTarget ${quote(text)} to uint64: strconv.ParseUint: parsing ${quote(text)}: ${reason}`];
  }
  return number < 1n ? [`Distinct Property must have an allowed count of 1 or greater: ${number} < 1`] : [];
}

const places = (jobType: string): boolean => jobType !== "system";

export function validateAffinities(affinities: readonly Affinity[], jobType: string): string[] {
  if (!places(jobType)) return affinities.length > 0 ? ["System jobs may not have an affinity block"] : [];
  return affinities.flatMap((it, i) => nested(`Affinity ${i + 1} validation failed: `, validateAffinity(it)));
}

function validateAffinity(affinity: Affinity): string[] {
  const { Operand, LTarget, RTarget, Weight = 0 } = affinity;
  const errors = Operand === "" ? ["Missing affinity operand"] : [];
  const rightSide = Object.hasOwn(COMMON, Operand) ? COMMON[Operand] : undefined;
  if (rightSide === undefined) errors.push(`Unknown affinity operator ${quote(Operand)}`);
  else errors.push(...checkRightSide(rightSide, Operand, RTarget, "affinity"));
  if (LTarget === "") errors.push("No LTarget provided but is required");
  if (Weight === 0) errors.push("Affinity weight cannot be zero");
  if (Weight > 100 || Weight < -100) errors.push("Affinity weight must be within the range [-100,100]");
  return errors;
}

export function validateSpreads(spreads: readonly Spread[], jobType: string): string[] {
  if (!places(jobType)) return spreads.length > 0 ? ["System jobs may not have a spread block"] : [];
  return spreads.flatMap((it, i) => nested(`Spread ${i + 1} validation failed: `, validateSpread(it)));
}

function validateSpread(spread: Spread): string[] {
  const errors: string[] = [];
  if (spread.Attribute === "") errors.push("Missing spread attribute");
  const weight = spread.Weight ?? 0;
  if (weight <= 0 || weight > 100) errors.push("Spread block must have a positive weight from 0 to 100");
  const seen = new Set<string>();
  let sum = 0;
  for (const { Value, Percent } of spread.SpreadTarget) {
    if (seen.has(Value)) errors.push(`Spread target value ${quote(Value)} already defined`);
    seen.add(Value);
    if (Percent > 100) errors.push(`Spread target percentage for value ${quote(Value)} must be between 0 and 100`);
    sum += Percent;
  }
  if (sum > 100) errors.push(`Sum of spread target percentages must not be greater than 100%; got ${sum}%`);
  return errors;
}
