import { isMap, isScalar, parseDocument, stringify, visit, YAMLError } from "yaml";
import { isList, isObject, sortedKeys, toText, type Value } from "../value.ts";
import { type FunctionTable, type HclFunction, refuse, taking } from "./function.ts";

// As for JSON: what comes out of a string is not bounded by the source's own nesting.
const DEPTH_MAX = 200;
/** How often `*alias` may be followed: a few bytes of them could stand for millions of values. */
const ALIASES_MAX = 100;
/** Characters. Reading them takes half a second, in which a server does nothing else. */
const TEXT_MAX = 128 * 1024;

export const YAML_FUNCTIONS: FunctionTable = {
  yamlencode: taking(1, 1, (value = null) =>
    // Keys and strings in quotes, lists at their key's indent: the peer's form.
    stringify(value, {
      ...{ defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "QUOTE_DOUBLE", lineWidth: 0 },
      ...{ indentSeq: false, sortMapEntries: true, aliasDuplicateObjects: false },
    }),
  ),
  yamldecode: taking(1, 1, (text = null) => decode(toText(text), TEXT_MAX)),
};

/** `yamldecode` for one file: all its calls together read no more than one of them may. */
export function rationedYamlDecode(): HclFunction {
  let left = TEXT_MAX;
  return taking(1, 1, (value = null) => {
    const text = toText(value);
    const decoded = decode(text, left);
    left -= text.length;
    return decoded;
  });
}

function decode(text: string, most: number): Value {
  if (text.length > most) return refuse(`more than ${TEXT_MAX / 1024} KiB of YAML in one file`);
  // The library would compare each key with all others.
  const document = parseDocument(text, { version: "1.2", logLevel: "silent", uniqueKeys: false });
  refuseRepeatedKeys(document);
  const [problem] = document.errors;
  if (problem !== undefined) return refuse(`malformed YAML: ${problem.message.split("\n")[0]}`);
  return plain(read(document), 0);
}

function refuseRepeatedKeys(document: ReturnType<typeof parseDocument>): void {
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of isMap(map) ? map.items : []) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) refuse(`malformed YAML: key ${JSON.stringify(key.value)} comes twice`);
        seen.add(key.value);
      }
    },
  });
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
