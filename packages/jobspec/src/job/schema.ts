/**
 * What a block of a job file may hold, and what becomes of it in the API's JSON. The tables under
 * `blocks/` are made of these; `decode.ts` reads a file by them.
 */
export interface BlockSchema {
  /** By the name in the file: the name in JSON, and how the value is read. */
  readonly attributes: Readonly<Record<string, readonly [name: string, type: AttributeType]>>;
  /** By the name in the file. Functions, because blocks hold each other. */
  readonly blocks?: Readonly<Record<string, ChildSchema>>;
  /** Turns what was read into the JSON, where that is not field by field. */
  readonly finish?: (fields: Json, labels: readonly string[]) => Json;
}

export type Json = { [name: string]: unknown };

/**
 * - `duration`: Go's form (`30s`) or a number of nanoseconds; JSON has nanoseconds.
 * - `texts`: a map of strings, written as an option or as a block.
 * - `free`: any value as it is, written as an option or as a block.
 */
export type AttributeType = "string" | "int" | "bool" | "duration" | "strings" | "ints" | "texts" | "lists" | "free";

export interface ChildSchema {
  /** The name in JSON. */
  readonly name: string;
  readonly schema: () => BlockSchema;
  /** One object, a list of them, or an object of them by their label. */
  readonly form: "one" | "list" | "keyed";
  /** How many labels are written, and the field that the first one fills. */
  readonly labels?: number;
  readonly labelField?: string;
}

export const one = (name: string, schema: () => BlockSchema): ChildSchema => ({ name, schema, form: "one" });

export const list = (name: string, schema: () => BlockSchema): ChildSchema => ({ name, schema, form: "list" });

/** Blocks with one label, which is their name. */
export const named = (name: string, schema: () => BlockSchema, labelField = "Name"): ChildSchema => ({
  ...{ name, schema, form: "list", labels: 1, labelField },
});
