import { RE2JS, RE2JSException } from "re2js";

/** A regular expression in Go's syntax. Matching takes time linear in the text, whatever the expression. */
export interface Regexp {
  /** Found anywhere in the text. */
  matches(text: string): boolean;
}

/** The expression, or why it is none, in Go's words. Compiling is slow: keep what comes back. */
export function compileRegexp(text: string): Regexp | { readonly error: string } {
  try {
    const compiled = RE2JS.compile(text);
    return { matches: (candidate) => compiled.test(candidate) };
  } catch (error) {
    if (error instanceof RE2JSException) return { error: error.message };
    throw error;
  }
}
