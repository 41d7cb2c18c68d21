import { isList, isObject, sortedKeys, toText, type Value } from "../value.ts";
import { type FunctionTable, refuse, taking } from "./function.ts";

// Values are walked by recursion; what comes out of a string is not bounded by the source's own nesting.
const JSON_DEPTH_MAX = 200;

export const ENCODING_FUNCTIONS: FunctionTable = {
  jsonencode: taking(1, 1, (value = null) => toJsonText(value)),
  jsondecode: taking(1, 1, (text = null) => {
    const json = toText(text);
    if (depthOf(json) > JSON_DEPTH_MAX) return refuse(`nested more than ${JSON_DEPTH_MAX} levels deep`);
    try {
      return JSON.parse(json) as Value;
    } catch (cause) {
      if (cause instanceof SyntaxError) return refuse(`malformed JSON: ${cause.message}`);
      throw cause;
    }
  }),
  base64encode: taking(1, 1, (text = null) =>
    btoa(new TextEncoder().encode(toText(text)).reduce((bytes, byte) => bytes + String.fromCharCode(byte), "")),
  ),
  base64decode: taking(1, 1, (text = null) => {
    const encoded = toText(text);
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded))
      return refuse("malformed base64");
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      if (cause instanceof TypeError) return refuse("the decoded bytes are not UTF-8 text");
      throw cause;
    }
  }),
};

function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  for (const [bracket] of json.replace(/"(?:[^"\\]|\\.)*"/g, "").matchAll(/[[\]{}]/g)) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** JSON with keys in lexicographic order, so that equal values give equal text. */
export function toJsonText(value: Value): string {
  if (isList(value)) return `[${value.map(toJsonText).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${sortedKeys(value)
    .map((key) => `${JSON.stringify(key)}:${toJsonText(value[key] ?? null)}`)
    .join(",")}}`;
}
