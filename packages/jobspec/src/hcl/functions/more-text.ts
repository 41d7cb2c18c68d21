import { compileRegexp, type Regexp } from "@steppe/model";
import { isList, toInteger, toText, type Value } from "../value.ts";
import { type FunctionTable, MANY, refuse, taking } from "./function.ts";
import { TEXT_FUNCTIONS } from "./text.ts";

export const MORE_TEXT_FUNCTIONS: FunctionTable = {
  chomp: taking(1, 1, (text = null) => toText(text).replace(/(\r?\n)+$/, "")),
  indent: taking(2, 2, (spaces = null, text = null) =>
    toText(text).replaceAll("\n", `\n${" ".repeat(Math.min(toInteger(spaces), 1000))}`),
  ),
  strrev: taking(1, 1, (text = null) => [...toText(text)].reverse().join("")),
  strlen: taking(1, 1, (text = null) => [...toText(text)].length),
  startswith: taking(2, 2, (text = null, prefix = null) => toText(text).startsWith(toText(prefix))),
  endswith: taking(2, 2, (text = null, suffix = null) => toText(text).endsWith(toText(suffix))),
  trim: taking(2, 2, (text = null, cutset = null) => {
    const characters = [...toText(text)];
    const cut = new Set(toText(cutset));
    const first = characters.findIndex((it) => !cut.has(it));
    return first < 0 ? "" : characters.slice(first, characters.findLastIndex((it) => !cut.has(it)) + 1).join("");
  }),
  trimprefix: taking(2, 2, (text = null, prefix = null) => {
    const [whole, start] = [toText(text), toText(prefix)];
    return whole.startsWith(start) ? whole.slice(start.length) : whole;
  }),
  trimsuffix: taking(2, 2, (text = null, suffix = null) => {
    const [whole, end] = [toText(text), toText(suffix)];
    return whole.endsWith(end) ? whole.slice(0, whole.length - end.length) : whole;
  }),
  formatlist: taking(1, MANY, (pattern = null, ...args) => {
    const lengths = args.filter(isList).map((list) => list.length);
    const length = lengths[0] ?? 1;
    if (lengths.some((it) => it !== length)) return refuse("lists of different lengths");
    return Array.from({ length }, (_, i) => {
      const row = args.map((arg): Value => (isList(arg) ? (arg[i] ?? null) : arg));
      return (TEXT_FUNCTIONS.format as NonNullable<FunctionTable[string]>)([pattern, ...row]);
    });
  }),
  regex: taking(2, 2, (pattern = null, text = null) => {
    const compiled = regexpOf(pattern);
    const [first] = compiled.find(toText(text), 1);
    return first === undefined ? refuse("the expression does not match") : captures(first, compiled.names);
  }),
  regexall: taking(2, 2, (pattern = null, text = null) => {
    const compiled = regexpOf(pattern);
    return compiled.find(toText(text), MATCHES_MAX).map((found) => captures(found, compiled.names));
  }),
  regex_replace: taking(3, 3, (text = null, pattern = null, by = null) =>
    regexpOf(pattern).replaceAll(toText(text), toText(by)),
  ),
  urlencode: taking(1, 1, (text = null) =>
    encodeURIComponent(toText(text))
      .replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll("%20", "+"),
  ),
};

const MATCHES_MAX = 100_000;

function regexpOf(pattern: Value): Regexp {
  const compiled = compileRegexp(toText(pattern));
  return "error" in compiled ? refuse(compiled.error) : compiled;
}

/** Without groups the match, with names an object of them, else a list. */
function captures(found: readonly (string | null)[], names: readonly (string | undefined)[]): Value {
  const [whole = "", ...groups] = found;
  if (groups.length === 0) return whole;
  const named = names.flatMap((name, i) => (name === undefined ? [] : [[name, groups[i] ?? null] as const]));
  return named.length > 0 ? Object.fromEntries(named) : groups;
}
