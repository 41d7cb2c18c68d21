import { type FieldSchema, schema } from "@steppe/proto/schema";

/** The fields of a message of the contract. */
export function fieldsOf(message: string): readonly FieldSchema[] {
  const fields = schema[message];
  if (fields === undefined) throw new Error(`no message ${message} in the contract`);
  return fields;
}

/** StringList and its like stand in for a list where the contract language allows none: JSON shows the bare list. */
export function bareList(fields: readonly FieldSchema[]): FieldSchema | undefined {
  return fields.length === 1 && fields[0]?.name === "Values" ? fields[0] : undefined;
}
