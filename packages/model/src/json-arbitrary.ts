// For property tests: JSON of any message of the contract, from the schema table.
import { type FieldSchema, schema } from "@steppe/proto/schema";
import fc from "fast-check";
import { formatTime, SECOND } from "./time.ts";

export const fieldsOf = (message: string): readonly FieldSchema[] => {
  const fields = schema[message];
  if (fields === undefined) throw new Error(`no message ${message}`);
  return fields;
};

export const isBareList = (message: string): boolean => {
  const fields = fieldsOf(message);
  return fields.length === 1 && fields[0]?.name === "Values";
};

const key = fc.string({ maxLength: 8 }).filter((text) => text !== "__proto__");
const freeForm = fc.dictionary(
  key,
  fc.jsonValue({ maxDepth: 2, noUnicodeString: false }).filter((value) => !JSON.stringify(value).includes("__proto__")),
  { maxKeys: 3 },
);

function scalar(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "string":
      return fc.string({ maxLength: 12, unit: "grapheme" });
    case "bool":
      return fc.boolean();
    case "int32":
      return fc.integer();
    case "uint32":
      return fc.nat({ max: 2 ** 32 - 1 });
    case "int64":
      return fc.maxSafeInteger();
    case "uint64":
      return fc.maxSafeNat();
    case "double":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "bytes":
      return fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => btoa(String.fromCharCode(...bytes)));
    case "time":
      return fc.integer({ min: 1, max: 4_000_000_000 }).map((seconds) => formatTime(seconds * SECOND));
    case "struct":
      return freeForm;
    case "value":
      return fc.jsonValue({ maxDepth: 1 }).filter((value) => !JSON.stringify(value).includes("__proto__"));
    case "message":
      return jsonOf(field.message as string, depth - 1);
  }
}

/** JSON of a message, with any of its fields left out. */
export function jsonOf(message: string, depth: number): fc.Arbitrary<unknown> {
  if (isBareList(message)) return fc.array(scalar(fieldsOf(message)[0] as FieldSchema, depth), { maxLength: 3 });
  const fields = fieldsOf(message).filter((field) => field.kind !== "message" || depth > 0);
  const shapes: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of fields) {
    const one = scalar(field, depth);
    const whole =
      field.shape === "list"
        ? fc.array(one, { maxLength: 2 })
        : field.shape === "map"
          ? fc.dictionary(key, one, { maxKeys: 2 })
          : one;
    shapes[field.name] = fc.option(whole, { freq: 3 });
  }
  return fc.record(shapes, { requiredKeys: [] });
}
