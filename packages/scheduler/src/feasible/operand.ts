import { compareText, compileRegexp, parseConstraints, type Regexp, satisfies, type VersionKind } from "@steppe/model";

/** Undefined stands for a target that the node does not have. */
export type Holds = (left: string | undefined, right: string | undefined) => boolean;

/**
 * What an operand means between two resolved targets. A target that is missing makes it false,
 * except for those that say otherwise. Undefined for a word that is no operand.
 */
export function operandOf(word: string): Holds | undefined {
  return Object.hasOwn(OPERANDS, word) ? OPERANDS[word]?.() : undefined;
}

/** Makers, because some keep what they compiled. */
const OPERANDS: Readonly<Record<string, () => Holds>> = {
  "": () => EQUAL,
  "=": () => EQUAL,
  "==": () => EQUAL,
  is: () => EQUAL,
  "!=": () => DIFFERENT,
  not: () => DIFFERENT,
  "<": () => both((left, right) => order(left, right) < 0),
  "<=": () => both((left, right) => order(left, right) <= 0),
  ">": () => both((left, right) => order(left, right) > 0),
  ">=": () => both((left, right) => order(left, right) >= 0),
  version: () => versions("version"),
  semver: () => versions("semver"),
  regexp: expressions,
  set_contains: () => both((left, right) => containsAll(left, right)),
  set_contains_all: () => both((left, right) => containsAll(left, right)),
  set_contains_any: () => both((left, right) => containsAny(left, right)),
  is_set: () => (left) => left !== undefined,
  is_not_set: () => (left) => left === undefined,
};

const EQUAL: Holds = both((left, right) => left === right);

/** Also when one side is missing; two missing ones are the same. */
const DIFFERENT: Holds = (left, right) => left !== right;

function both(holds: (left: string, right: string) => boolean): Holds {
  return (left, right) => left !== undefined && right !== undefined && holds(left, right);
}

const INTEGER = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** As whole numbers when both are, else as numbers, else as texts. */
function order(left: string, right: string): number {
  if (INTEGER.test(left) && INTEGER.test(right)) {
    const difference = BigInt(left.replace("+", "")) - BigInt(right.replace("+", ""));
    return difference < 0n ? -1 : Number(difference > 0n);
  }
  if (FLOAT.test(left) && FLOAT.test(right)) return Number(left) - Number(right);
  return compareText(left, right);
}

function versions(kind: VersionKind): Holds {
  const parsed = memo((text: string) => {
    const constraints = parseConstraints(text, kind);
    return "error" in constraints ? undefined : constraints;
  });
  return both((left, right) => {
    const constraints = parsed(right);
    return constraints !== undefined && satisfies(constraints, left);
  });
}

function expressions(): Holds {
  const compiled = memo((text: string): Regexp | undefined => {
    const expression = compileRegexp(text);
    return "error" in expression ? undefined : expression;
  });
  return both((left, right) => compiled(right)?.matches(left) ?? false);
}

/** The right side is nearly always a literal, so there is one entry. */
function memo<T>(make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>();
  return (text) => {
    if (!made.has(text)) made.set(text, make(text));
    return made.get(text) as T;
  };
}

const members = (text: string): string[] => text.split(",").map((member) => member.trim());

function containsAll(left: string, right: string): boolean {
  const has = new Set(members(left));
  return members(right).every((member) => has.has(member));
}

function containsAny(left: string, right: string): boolean {
  const has = new Set(members(left));
  return members(right).some((member) => has.has(member));
}
