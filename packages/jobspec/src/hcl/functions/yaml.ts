import { parseDocument, stringify, YAMLError } from "yaml";
import { isList, isObject, sortedKeys, toText, type Value } from "../value.ts";
import { type FunctionTable, refuse, taking } from "./function.ts";

// As for JSON: what comes out of a string is not bounded by the source's own nesting.
const DEPTH_MAX = 200;
/** How often `*alias` may be followed: a few bytes of them could stand for millions of values. */
const ALIASES_MAX = 100;

export const YAML_FUNCTIONS: FunctionTable = {
  yamlencode: taking(1, 1, (value = null) =>
    // Keys and strings in quotes, lists at their key's indent: the peer's form.
    stringify(value, {
      ...{ defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE", lineWidth: 0 },
      ...{ indentSeq: false, sortMapEntries: true, aliasDuplicateObjects: false },
    }),
  ),
  yamldecode: taking(1, 1, (text = null) => decode(toText(text))),
};

function decode(text: string): Value {
  const document = parseDocument(text, { version: "1.2", logLevel: "silent", uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) return refuse(`malformed YAML: ${problem.message.split("\n")[0]}`);
  return plain(read(document), 0);
}

function read(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (cause) {
    // The library says so for an alias without its anchor, and for too many of them.
    if (cause instanceof YAMLError || cause instanceof ReferenceError)
      return refuse(`malformed YAML: ${cause.message}`);
    throw cause;
  }
}

/** Only what a job file's values may be: no dates, no bytes, no numbers beyond counting. */
function plain(value: unknown, depth: number): Value {
  if (depth > DEPTH_MAX) return refuse(`nested more than ${DEPTH_MAX} levels deep`);
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const given = value as Value;
  if (isList(given)) return given.map((item) => plain(item, depth + 1));
  if (!isObject(given)) return refuse("a value of a kind that job files do not have");
  return Object.fromEntries(sortedKeys(given).map((key) => [key, plain(given[key], depth + 1)]));
}
