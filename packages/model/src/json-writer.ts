// JSON text of messages, as `json.ts` describes it: a function for each message, compiled from the schema.
import type { FieldSchema } from "@steppe/proto/schema";
import { bareList, fieldsOf } from "./json-fields.ts";
import { isUnset, LEFT_OUT_WHEN_UNSET, NULL_ENTRY_WITHOUT } from "./json-omissions.ts";
import { formatTime } from "./time.ts";

type Fields = Record<string, unknown>;
export type Write = (value: unknown) => string;

const writers = new Map<string, Write>();

/** What writes a message; "null" for none. */
export function writer(message: string): Write {
  const known = writers.get(message);
  if (known !== undefined) return known;
  const fields = fieldsOf(message).filter((field) => field.oneof === undefined);
  const bare = bareList(fields);
  const made = bare === undefined ? messageWriter(message, fields) : listInItsPlace(bare);
  writers.set(message, made);
  return made;
}

function listInItsPlace(field: FieldSchema): Write {
  const write = fieldWriter(field);
  return (value) => write((value as { Values: unknown }).Values);
}

/**
 * One expression that joins all fields, so that each is read by its own name: a loop over a table of names and
 * writers takes two to three times as long. The source is made of names of the contract only.
 */
function messageWriter(message: string, fields: readonly FieldSchema[]): Write {
  const others: Write[] = [];
  let source = "";
  for (const field of fields) {
    const it = `value.${field.name}`;
    const mayBeLeftOut = LEFT_OUT_WHEN_UNSET.has(`${message}.${field.name}`);
    if (mayBeLeftOut && source === "") throw new Error(`${message}.${field.name}: the first field is always written`);
    const separator = source === "" ? "" : ",";
    const simple = simpleValue(field, it);
    if (simple === undefined) others.push(fieldWriter(field, NULL_ENTRY_WITHOUT[`${message}.${field.name}`]));
    const written = `'${separator}"${field.name}":' + ${simple ?? `others[${others.length - 1}](${it})`}`;
    source += `${source === "" ? "" : " + "}${mayBeLeftOut ? `(isUnset(${it}) ? "" : ${written})` : written}`;
  }
  const body = `return (value) => value === undefined || value === null ? "null" : "{" + ${source || '""'} + "}";`;
  return new Function("others", "isUnset", "text", "number", body)(others, isUnset, text, number);
}

/** The expression for `it`, where one call does. */
function simpleValue({ kind, shape, optional }: FieldSchema, it: string): string | undefined {
  if (shape === "list" || shape === "map") return undefined;
  switch (kind) {
    case "string":
      return `text(${it})`;
    case "bool":
      return `(${it} === undefined ? "null" : ${it})`;
    case "bytes":
    case "struct":
    case "value":
    case "time":
    case "message":
      return undefined;
    default:
      return optional ? `(${it} === undefined ? "null" : number(${it}))` : `number(${it})`;
  }
}

function fieldWriter(field: FieldSchema, nullWithout?: string): Write {
  const any = valueWriter(field);
  const one: Write =
    nullWithout === undefined ? any : (value) => ((value as Fields)[nullWithout] === "" ? "null" : any(value));
  if (field.shape === "list") {
    return (value) => {
      const items = value as unknown[] | undefined;
      if (items === undefined || items.length === 0) return "null";
      let list = one(items[0]);
      for (let i = 1; i < items.length; i++) list += `,${one(items[i])}`;
      return `[${list}]`;
    };
  }
  if (field.shape === "map") {
    return (value) => {
      let entries = "";
      for (const key in value as Fields) {
        entries += `${entries === "" ? "" : ","}${text(key)}:${one((value as Fields)[key])}`;
      }
      return entries === "" ? "null" : `{${entries}}`;
    };
  }
  return field.optional ? (value) => (value === undefined ? "null" : one(value)) : one;
}

function valueWriter(field: FieldSchema): Write {
  switch (field.kind) {
    case "string":
      return text;
    case "bool":
    case "struct":
    case "value":
      return (value) => (value === undefined ? "null" : JSON.stringify(value));
    case "bytes":
      return (value) =>
        (value as Uint8Array).length === 0 ? "null" : JSON.stringify(encodeBase64(value as Uint8Array));
    case "time":
      return (value) => JSON.stringify(formatTime(value as number));
    case "message": {
      const name = field.message as string;
      let write: Write | undefined;
      return (value) => {
        if (value === undefined) return "null";
        write ??= writer(name);
        return write(value);
      };
    }
    default:
      return number;
  }
}

/** Integers print all their digits: JavaScript turns to exponents only at 1e21. */
function number(value: unknown): string {
  return Number.isFinite(value) ? String(value) : "0";
}

/** Printable ASCII that needs no escape. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Names, IDs and states are short and plain, and asking costs less than a call of `JSON.stringify`. */
function text(value: unknown): string {
  if (value === undefined) return "null";
  const string = value as string;
  return string.length <= 64 && PLAIN.test(string) ? `"${string}"` : JSON.stringify(string);
}

const encodeBase64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
