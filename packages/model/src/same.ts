// Structural comparison of messages, compiled once per message from the schema table.
import { type FieldSchema, schema } from "@steppe/proto/schema";

type Fields = Readonly<Record<string, unknown>>;
type Same = (a: unknown, b: unknown) => boolean;

/** Fields that the servers keep beside a specification, or that are secrets which are never stored. */
const NOT_SPECIFICATION: Readonly<Record<string, readonly string[]>> = {
  Job: [
    "Status",
    "StatusDescription",
    "Stable",
    "Version",
    "VersionTag",
    "SubmitTime",
    "CreateIndex",
    "ModifyIndex",
    "JobModifyIndex",
    "ConsulToken",
    "VaultToken",
  ],
  ScalingPolicy: ["ID", "CreateIndex", "ModifyIndex"],
};

const compiled = new Map<string, Same>();

/**
 * Whether two messages, or two lists of messages, of the named kind are the same. `"struct"`
 * compares free-form JSON objects, in which the order of keys means nothing.
 */
export function sameMessage(message: string, a: unknown, b: unknown): boolean {
  const same = message === "struct" ? sameStruct : comparator(message);
  return Array.isArray(a) && Array.isArray(b) ? sameList(same)(a, b) : same(a, b);
}

function comparator(message: string): Same {
  const known = compiled.get(message);
  if (known !== undefined) return known;
  const fields = schema[message];
  if (fields === undefined) throw new Error(`no message ${message} in the contract`);
  const checks: { name: string; same: Same }[] = [];
  const same: Same = (a, b) => {
    if (a === b) return true;
    if (a === undefined || b === undefined) return false;
    return checks.every(({ name, same }) => same((a as Fields)[name], (b as Fields)[name]));
  };
  // Before its fields: messages may contain themselves.
  compiled.set(message, same);
  const ignored = NOT_SPECIFICATION[message] ?? [];
  for (const field of fields) {
    if (!ignored.includes(field.name)) checks.push({ name: field.name, same: fieldComparator(field) });
  }
  return same;
}

function fieldComparator(field: FieldSchema): Same {
  const one = valueComparator(field);
  if (field.shape === "list") return sameList(one);
  return field.shape === "map" ? sameMap(one) : one;
}

function valueComparator(field: FieldSchema): Same {
  switch (field.kind) {
    case "message":
      return (a, b) => comparator(field.message as string)(a, b);
    case "struct":
      return sameStruct;
    case "value":
      return sameJson;
    case "bytes":
      return sameBytes;
    default:
      return (a, b) => a === b;
  }
}

function sameList(one: Same): Same {
  return (a, b) => {
    const [left, right] = [(a ?? []) as readonly unknown[], (b ?? []) as readonly unknown[]];
    return left.length === right.length && left.every((item, i) => one(item, right[i]));
  };
}

function sameMap(one: Same): Same {
  return (a, b) => {
    const [left, right] = [(a ?? {}) as Fields, (b ?? {}) as Fields];
    const keys = Object.keys(left);
    return (
      keys.length === Object.keys(right).length &&
      keys.every((key) => Object.hasOwn(right, key) && one(left[key], right[key]))
    );
  };
}

const sameStruct: Same = (a, b) => sameJson(a ?? {}, b ?? {});

const sameJson: Same = (a, b) => {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameList(sameJson)(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  return sameMap(sameJson)(a, b);
};

const sameBytes: Same = (a, b) => {
  const [left, right] = [a as Uint8Array, b as Uint8Array];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
};
