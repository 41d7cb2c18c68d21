// JSON Schemas of the API's messages, from the same table that the JSON codec is compiled from.
import { type FieldSchema, schema } from "@steppe/proto/schema";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas of these messages and of all that they hold, by name. */
export function schemasOf(messages: Iterable<string>): Record<string, JsonSchema> {
  const found: Record<string, JsonSchema> = {};
  const open = [...messages];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found[name] !== undefined) continue;
    const fields = fieldsOf(name);
    found[name] = messageSchema(fields);
    for (const { message } of fields) if (message !== undefined) open.push(message);
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function reference(message: string): JsonSchema {
  return { $ref: `#/components/schemas/${message}` };
}

function fieldsOf(message: string): readonly FieldSchema[] {
  const fields = schema[message];
  if (fields === undefined) throw new Error(`no message ${message} in the contract`);
  return fields;
}

function messageSchema(fields: readonly FieldSchema[]): JsonSchema {
  // StringList and its like stand for a bare list.
  if (fields.length === 1 && fields[0]?.name === "Values") return listOf(valueSchema(fields[0]));
  return { type: "object", properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)])) };
}

function fieldSchema(field: FieldSchema): JsonSchema {
  const value = valueSchema(field);
  if (field.shape === "list") return listOf(value);
  if (field.shape === "map") return { type: ["object", "null"], additionalProperties: value };
  if (field.kind === "message") return { anyOf: [value, { type: "null" }] };
  return field.optional && typeof value.type === "string" ? { ...value, type: [value.type, "null"] } : value;
}

/** Empty lists are shown as null, and null is taken for one. */
function listOf(items: JsonSchema): JsonSchema {
  return { type: ["array", "null"], items };
}

function valueSchema({ kind, message }: FieldSchema): JsonSchema {
  switch (kind) {
    case "message":
      return reference(message as string);
    case "string":
      return { type: "string" };
    case "bool":
      return { type: "boolean" };
    case "int32":
      return { type: "integer", format: "int32" };
    case "uint32":
      return { type: "integer", minimum: 0, maximum: 4_294_967_295 };
    case "int64":
      return { type: "integer", format: "int64" };
    case "uint64":
      return { type: "integer", minimum: 0 };
    case "double":
      return { type: "number" };
    case "bytes":
      return { type: ["string", "null"], contentEncoding: "base64" };
    case "time":
      return { type: "string", format: "date-time" };
    case "struct":
      return { type: ["object", "null"] };
    case "value":
      return {};
  }
}
