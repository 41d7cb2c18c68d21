import { SteppeError } from "@steppe/model";

type Fields = Readonly<Record<string, unknown>>;

// Deeper than any job; the limit keeps every later walk over the value within the stack.
const MAX_DEPTH = 100;

/** A JSON object from a body; `null` is an empty one. Throws `invalid` with what is wrong. */
export function parseObject(body: Buffer): Fields {
  const value = parseJson(body.toString("utf8"));
  if (value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Fields;
  throw new SteppeError("invalid", "Request body must be a JSON object");
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's words name the position, and quote only what the client sent.
    throw new SteppeError("invalid", `Invalid JSON: ${(error as Error).message}`, { cause: error });
  }
  refuseUnsafe(value, 0);
  return value;
}

/** `__proto__` is the one key that means something else once the value is copied key by key. */
function refuseUnsafe(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth >= MAX_DEPTH) throw new SteppeError("invalid", `Invalid JSON: nested deeper than ${MAX_DEPTH} levels`);
  if (Object.hasOwn(value, "__proto__"))
    throw new SteppeError("invalid", 'Invalid JSON: key "__proto__" is not allowed');
  if (Array.isArray(value)) for (const item of value) refuseUnsafe(item, depth + 1);
  else for (const key in value) refuseUnsafe((value as Fields)[key], depth + 1);
}

/** Empty when absent or null. Each of these throws `invalid`, in Go's words, for a value of another type. */
export function stringField(message: string, fields: Fields, name: string): string {
  const value = find(fields, name) ?? "";
  if (typeof value !== "string") throw mismatch(value, `${message}.${name}`, "string");
  return value;
}

export function boolField(message: string, fields: Fields, name: string): boolean {
  const value = find(fields, name) ?? false;
  if (typeof value !== "boolean") throw mismatch(value, `${message}.${name}`, "bool");
  return value;
}

export function objectField(message: string, fields: Fields, name: string): Fields {
  const value = find(fields, name) ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, `${message}.${name}`, name);
  return value as Fields;
}

/** A map of texts. */
export function mapField(message: string, fields: Fields, name: string): Record<string, string> {
  const map = objectField(message, fields, name);
  for (const value of Object.values(map)) {
    if (typeof value !== "string") throw mismatch(value, `${message}.${name}`, "string");
  }
  return { ...map } as Record<string, string>;
}

/** The field of that name, else one that differs in case only, as the API matches names. */
function find(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const lower = name.toLowerCase();
  const key = Object.keys(fields).find((it) => it.toLowerCase() === lower);
  return key === undefined ? undefined : fields[key];
}

function mismatch(value: unknown, path: string, type: string): SteppeError {
  const got = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return new SteppeError("invalid", `json: cannot unmarshal ${got} into Go struct field ${path} of type ${type}`);
}
