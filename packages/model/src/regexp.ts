import { RE2JS, RE2JSException } from "re2js";

/** A regular expression in Go's syntax. Matching takes time linear in the text, whatever the expression. */
export interface Regexp {
  /** Found anywhere in the text. */
  matches(text: string): boolean;
  /** The first so many matches: the whole one and then each group, null where a group took no part. */
  find(text: string, limit: number): (string | null)[][];
  /** By group, from the first one: its name, where it has one. */
  readonly names: readonly (string | undefined)[];
  /** `$1` and `${name}` in the replacement stand for groups. */
  replaceAll(text: string, by: string): string;
}

/** The expression, or why it is none, in Go's words. Compiling is slow: keep what comes back. */
export function compileRegexp(text: string): Regexp | { readonly error: string } {
  try {
    const compiled = RE2JS.compile(text);
    return {
      matches: (candidate) => compiled.test(candidate),
      find: (text, limit) => findIn(compiled, text, limit),
      get names() {
        const names: (string | undefined)[] = Array(compiled.groupCount()).fill(undefined);
        for (const [name, group] of Object.entries(compiled.namedGroups())) names[group - 1] = name;
        return names;
      },
      replaceAll: (text, by) => compiled.matcher(text).replaceAll(by, true),
    };
  } catch (error) {
    if (error instanceof RE2JSException) return { error: error.message };
    throw error;
  }
}

function findIn(compiled: RE2JS, text: string, limit: number): (string | null)[][] {
  const matcher = compiled.matcher(text);
  const found: (string | null)[][] = [];
  while (found.length < limit && matcher.find()) {
    found.push(Array.from({ length: compiled.groupCount() + 1 }, (_, group) => matcher.group(group)));
  }
  return found;
}
