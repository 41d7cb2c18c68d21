import { type FieldSchema, schema } from "@steppe/proto/schema";

/** What a selector can lead to. `any` is free-form JSON, whose types show only in each value. */
export type FieldType =
  | { readonly kind: "string" | "bool" | "int" | "uint" | "float" | "bytes" | "time" | "any" }
  | { readonly kind: "list" | "map"; readonly of: FieldType }
  | { readonly kind: "message"; readonly message: string };

/** Credentials: one who may list must not find them out by asking what matches. */
const HIDDEN: ReadonlySet<string> = new Set([
  "Evaluation.LeaderACL",
  "Job.ConsulToken",
  "Job.VaultToken",
  "Node.SecretID",
]);

const KINDS = {
  string: "string",
  bool: "bool",
  int32: "int",
  int64: "int",
  uint32: "uint",
  uint64: "uint",
  double: "float",
  bytes: "bytes",
  time: "time",
  struct: "any",
  value: "any",
} as const;

/** The type of a message's field; undefined when a filter can see none of that name. */
export function fieldType(message: string, name: string): FieldType | undefined {
  const field = schema[message]?.find((it) => it.name === name && it.oneof === undefined);
  if (field === undefined || HIDDEN.has(`${message}.${name}`)) return undefined;
  const of = valueType(field);
  return field.shape === undefined ? of : { kind: field.shape, of };
}

function valueType(field: FieldSchema): FieldType {
  return field.kind === "message" ? { kind: "message", message: field.message as string } : { kind: KINDS[field.kind] };
}

/** Stands for a bare list where the contract language allows none; see `json.ts`. */
export function isBareList(message: string): boolean {
  const fields = schema[message];
  return fields?.length === 1 && fields[0]?.name === "Values";
}

/** In Go's words. */
export function typeName(type: FieldType): string {
  switch (type.kind) {
    case "float":
      return "float64";
    case "bytes":
    case "list":
      return "slice";
    case "time":
    case "message":
      return "struct";
    default:
      return type.kind;
  }
}
