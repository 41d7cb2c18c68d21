// Messages of the contract from JSON and to JSON, as the API's own servers read and write it:
//
// - field names are matched exactly, else ignoring case; unknown ones are ignored;
// - null leaves a field at its default; a value of the wrong type is refused and named;
// - empty lists, maps and objects that are absent are written as null;
// - bytes are base64, points in time RFC 3339, durations integers of nanoseconds.
//
// Both directions are compiled once from the schema table that `npm run generate` makes, so a new
// field of the contract needs no line here.
import { empty, type FieldSchema } from "@steppe/proto/schema";
import { SteppeError } from "./errors.ts";
import { bareList, fieldsOf } from "./json-fields.ts";
import { writer } from "./json-writer.ts";
import { parseTime } from "./time.ts";

type Fields = Record<string, unknown>;
type Read = (value: unknown, path: string) => unknown;

/** Builds a message from parsed JSON. Throws `invalid` with Go's wording, naming the field's path. */
export function fromJson<T>(message: string, value: unknown, path = message): T {
  return reader(message)(value, path) as T;
}

/** JSON text of a message. */
export function toJson(message: string, value: object): string {
  return writer(message)(value);
}

/** JSON text of a list of messages; an empty one is `[]`. */
export function listToJson(message: string, values: readonly object[]): string {
  const write = writer(message);
  return `[${values.map(write).join(",")}]`;
}

const readers = new Map<string, Read>();

function reader(message: string): Read {
  const known = readers.get(message);
  if (known !== undefined) return known;
  const fields = fieldsOf(message);
  const byName = new Map<string, { name: string; read: Read }>();
  const byLowerName = new Map<string, { name: string; read: Read }>();
  const defaults = empty[message] as () => Fields;
  const read: Read = (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw mismatch(value, path, message);
    const result = defaults();
    for (const key in value) {
      const field = byName.get(key) ?? byLowerName.get(key.toLowerCase());
      if (field === undefined) continue;
      const given = (value as Fields)[key];
      if (given === null) continue;
      result[field.name] = field.read(given, `${path}.${field.name}`);
    }
    return result;
  };
  const bare = bareList(fields);
  const result: Read = bare === undefined ? read : (value, path) => ({ Values: fieldReader(bare)(value, path) });
  readers.set(message, result);
  for (const field of fields) {
    if (field.oneof !== undefined) continue;
    const entry = { name: field.name, read: fieldReader(field) };
    byName.set(field.name, entry);
    byLowerName.set(field.name.toLowerCase(), entry);
  }
  return result;
}

function fieldReader(field: FieldSchema): Read {
  const one = valueReader(field);
  if (field.shape === "list") {
    return (value, path) => {
      if (!Array.isArray(value)) throw mismatch(value, path, `[]${goType(field)}`);
      return value.filter((item) => item !== null || field.kind === "string").map((item) => one(item ?? "", path));
    };
  }
  if (field.shape === "map") {
    return (value, path) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw mismatch(value, path, `map[string]${goType(field)}`);
      }
      const result: Fields = {};
      for (const [key, item] of Object.entries(value)) {
        if (key === "__proto__") throw reservedKey(path);
        const given = item ?? nullEntry(field);
        if (given !== null) result[key] = one(given, path);
      }
      return result;
    };
  }
  return one;
}

/** What a null entry of a map stands for: an empty text, an empty list, or else no entry. */
function nullEntry(field: FieldSchema): unknown {
  if (field.kind === "string") return "";
  return field.kind === "message" && bareList(fieldsOf(field.message as string)) !== undefined ? [] : null;
}

const INTEGER_LIMITS = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63 - 1],
  uint64: [0, 2 ** 64 - 1],
} as const;

function valueReader(field: FieldSchema): Read {
  const { kind } = field;
  switch (kind) {
    case "string":
      return (value, path) => {
        if (typeof value !== "string") throw mismatch(value, path, "string");
        return value;
      };
    case "bool":
      return (value, path) => {
        if (typeof value !== "boolean") throw mismatch(value, path, "bool");
        return value;
      };
    case "double":
      return (value, path) => {
        if (typeof value !== "number") throw mismatch(value, path, "float64");
        return value;
      };
    case "int32":
    case "uint32":
    case "int64":
    case "uint64": {
      const [least, most] = INTEGER_LIMITS[kind];
      return (value, path) => {
        if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
          throw mismatch(value, path, goType(field));
        }
        // -0 is 0 in every integer type.
        return value + 0;
      };
    }
    case "bytes":
      return (value, path) => {
        if (typeof value !== "string") throw mismatch(value, path, "[]uint8");
        if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
          throw new SteppeError("invalid", `illegal base64 data in field ${path}`);
        }
        return decodeBase64(value);
      };
    case "time":
      return (value, path) => {
        const time = typeof value === "string" ? parseTime(value) : undefined;
        if (time === undefined) throw mismatch(value, path, "time.Time");
        return time;
      };
    case "struct":
      return (value, path) => {
        if (typeof value !== "object" || value === null || Array.isArray(value)) {
          throw mismatch(value, path, "map[string]interface {}");
        }
        checkFreeForm(value, path, FREE_FORM_DEPTH_MAX);
        return value;
      };
    case "value":
      return (value, path) => {
        checkFreeForm(value, path, FREE_FORM_DEPTH_MAX);
        return value;
      };
    case "message": {
      const name = field.message as string;
      let read: Read | undefined;
      return (value, path) => {
        read ??= reader(name);
        return read(value, path);
      };
    }
  }
}

/** Levels of free-form JSON; more would exhaust the stack of whoever walks it. */
const FREE_FORM_DEPTH_MAX = 500;

/** Refuses what could not be stored and shown again as it came. */
function checkFreeForm(value: unknown, path: string, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth === 0) throw new SteppeError("invalid", `json: ${path} exceeded max depth`);
  if (Object.hasOwn(value, "__proto__")) throw reservedKey(path);
  for (const item of Object.values(value)) checkFreeForm(item, path, depth - 1);
}

/** JavaScript objects cannot hold this key like any other; better refused than lost. */
function reservedKey(path: string): SteppeError {
  return new SteppeError("invalid", `json: key "__proto__" is not allowed in ${path}`);
}

function goType(field: FieldSchema): string {
  switch (field.kind) {
    case "int32":
      return "int";
    case "uint32":
      return "uint";
    case "double":
      return "float64";
    case "message":
      return `api.${field.message}`;
    default:
      return field.kind;
  }
}

/** In Go's words, which clients already show to their users. */
function mismatch(value: unknown, path: string, type: string): SteppeError {
  const got =
    value === null
      ? "null"
      : Array.isArray(value)
        ? "array"
        : typeof value === "number"
          ? `number ${value}`
          : typeof value === "boolean"
            ? "bool"
            : typeof value;
  return new SteppeError("invalid", `json: cannot unmarshal ${got} into Go struct field ${path} of type ${type}`);
}

const decodeBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
