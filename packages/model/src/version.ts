// Version constraints as the operands `version` and `semver` read them.
//
// `version` is lenient in what it takes for a version (`1.2`, `v1`, `1.2.3beta`), knows `~>`, and
// lets a pre-release match only a constraint that names a pre-release of the same numbers.
// `semver` wants a dash before a pre-release, and orders pre-releases like any other version.

export type VersionKind = "version" | "semver";

/** A parsed version: at least three numbers, of which `given` were written. */
interface Version {
  readonly numbers: readonly number[];
  readonly given: number;
  /** Without the dash; empty for a release. */
  readonly preRelease: string;
}

/** All of them have to hold. */
export interface Constraints {
  readonly kind: VersionKind;
  readonly parts: readonly { readonly operator: Operator; readonly version: Version }[];
}

type Operator = "=" | "!=" | ">" | "<" | ">=" | "<=" | "~>";

const NUMBERS = "v?([0-9]+(?:\\.[0-9]+)*?)";
const WORDS = "[0-9A-Za-z\\-~]+(?:\\.[0-9A-Za-z\\-~]+)*";
const NUMERIC_FIRST = "-([0-9]+[0-9A-Za-z\\-~]*(?:\\.[0-9A-Za-z\\-~]+)*)";
const ALPHA_FIRST = "([A-Za-z\\-~]+[0-9A-Za-z\\-~]*(?:\\.[0-9A-Za-z\\-~]+)*)";
const SYNTAX: Readonly<Record<VersionKind, string>> = {
  version: `${NUMBERS}(?:${NUMERIC_FIRST}|-?${ALPHA_FIRST})?(?:\\+${WORDS})?`,
  semver: `${NUMBERS}(?:${NUMERIC_FIRST}|-${ALPHA_FIRST})?(?:\\+${WORDS})?`,
};
const VERSION = {
  version: new RegExp(`^${SYNTAX.version}$`),
  semver: new RegExp(`^${SYNTAX.semver}$`),
};
const CONSTRAINT = {
  version: new RegExp(`^\\s*(!=|>=|<=|~>|=|>|<|)\\s*(${SYNTAX.version})\\s*$`),
  semver: new RegExp(`^\\s*(!=|>=|<=|=|>|<|)\\s*(${SYNTAX.semver})\\s*$`),
};

/** Constraints separated by commas (`>= 1.2, < 2`), or why the text is none, in the API's words. */
export function parseConstraints(text: string, kind: VersionKind): Constraints | { readonly error: string } {
  const parts = [];
  for (const part of text.split(",")) {
    const match = CONSTRAINT[kind].exec(part);
    const version = match === null ? undefined : parseVersion(match[2] as string, kind);
    if (match === null || version === undefined) return { error: `Malformed constraint: ${part}` };
    parts.push({ operator: (match[1] || "=") as Operator, version });
  }
  return { kind, parts };
}

/** False as well when the text is no version. */
export function satisfies(constraints: Constraints, versionText: string): boolean {
  const version = parseVersion(versionText, constraints.kind);
  return (
    version !== undefined &&
    constraints.parts.every(({ operator, version: bound }) => holds(operator, version, bound, constraints.kind))
  );
}

function parseVersion(text: string, kind: VersionKind): Version | undefined {
  const match = VERSION[kind].exec(text);
  if (match === null) return undefined;
  const numbers = (match[1] as string).split(".").map(Number);
  if (numbers.some((number) => !Number.isSafeInteger(number))) return undefined;
  const given = numbers.length;
  while (numbers.length < 3) numbers.push(0);
  return { numbers, given, preRelease: match[2] ?? match[3] ?? "" };
}

function holds(operator: Operator, version: Version, bound: Version, kind: VersionKind): boolean {
  const order = compare(version, bound);
  if (operator === "=") return order === 0;
  if (operator === "!=") return order !== 0;
  if (kind === "version" && !preReleaseFits(version, bound)) return false;
  switch (operator) {
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case "~>":
      return order >= 0 && isWithinLastNumber(version, bound);
  }
}

/** Whoever asks for releases gets no pre-release, and a pre-release only of the numbers asked for, as many of them. */
function preReleaseFits(version: Version, bound: Version): boolean {
  if (version.preRelease === "") return true;
  if (bound.preRelease === "" || version.numbers.length !== bound.numbers.length) return false;
  return compareNumbers(version.numbers, bound.numbers) === 0;
}

/** Every number but the last one written is the same; a pre-release bound wants a pre-release. */
function isWithinLastNumber(version: Version, bound: Version): boolean {
  if (bound.preRelease !== "" && version.preRelease === "") return false;
  if (bound.numbers.length > version.numbers.length) return false;
  return bound.numbers.slice(0, bound.given - 1).every((number, i) => version.numbers[i] === number);
}

function compare(a: Version, b: Version): number {
  const order = compareNumbers(a.numbers, b.numbers);
  if (order !== 0 || a.preRelease === b.preRelease) return order;
  if (a.preRelease === "") return 1;
  return b.preRelease === "" ? -1 : comparePreReleases(a.preRelease, b.preRelease);
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

function comparePreReleases(a: string, b: string): number {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareWords(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/**
 * Numbers by value and before words; words by their text. A missing word comes before a number and
 * after any other word: not what semver says, but what the API's servers have always done.
 */
function compareWords(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return isNumber(b as string) ? -1 : 1;
  if (b === undefined) return isNumber(a) ? 1 : -1;
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  if (isNumber(a)) return Math.sign(Number(a) - Number(b));
  return a > b ? 1 : -1;
}

const isNumber = (word: string): boolean => /^[+-]?\d+$/.test(word);
