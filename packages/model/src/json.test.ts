import * as proto from "@steppe/proto";
import { Job } from "@steppe/proto";
import { type FieldSchema, schema } from "@steppe/proto/schema";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SteppeError } from "./errors.ts";
import { fromJson, listToJson, toJson } from "./json.ts";
import { fieldsOf, isBareList, jsonOf } from "./json-arbitrary.ts";
import { LEFT_OUT_WHEN_UNSET, NULL_ENTRY_WITHOUT } from "./json-omissions.ts";

type Json = Record<string, unknown>;
interface Codec {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

const codecs = proto as unknown as Readonly<Record<string, Codec | undefined>>;

/** Have maps by number, which only the log and the wire between servers use. */
const BINARY_ONLY = ["Placements"];

/** Messages of the contract that have a codec in the index and no oneof, which JSON never shows. */
const messages = Object.keys(schema).filter((name) => {
  const reached = new Set<string>();
  const visit = (message: string): boolean => {
    if (reached.has(message)) return true;
    reached.add(message);
    if (BINARY_ONLY.includes(message)) return false;
    return fieldsOf(message).every(
      (field) => field.oneof === undefined && (field.message === undefined || visit(field.message)),
    );
  };
  return codecs[name]?.encode !== undefined && visit(name);
});

/** What the API shows for a JSON that it was given: the oracle, written against the header of json.ts. */
function shown(message: string, given: unknown): unknown {
  // Shown as the list that is its one field.
  if (isBareList(message)) return shownField(fieldsOf(message)[0] as FieldSchema, given);
  const shownFields = fieldsOf(message).map((field) => {
    const value = shownField(field, (given as Json)[field.name]);
    return [field.name, withNullEntries(value, NULL_ENTRY_WITHOUT[`${message}.${field.name}`])] as const;
  });
  return Object.fromEntries(
    shownFields.filter(([name, value]) => !(LEFT_OUT_WHEN_UNSET.has(`${message}.${name}`) && isShownUnset(value))),
  );
}

/** Absent or zero; false, empty and the zero time count. */
function isShownUnset(value: unknown): boolean {
  return value === null || value === "" || value === 0 || value === false || value === "0001-01-01T00:00:00Z";
}

function withNullEntries(value: unknown, nullWithout: string | undefined): unknown {
  if (nullWithout === undefined || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Json).map(([name, item]) => [name, (item as Json)[nullWithout] === "" ? null : item]),
  );
}

function shownField(field: FieldSchema, given: unknown): unknown {
  const one = (value: unknown): unknown => (field.kind === "message" ? shown(field.message as string, value) : value);
  if (field.shape === "list") {
    const items = (given ?? []) as unknown[];
    return items.length === 0 ? null : items.map(one);
  }
  if (field.shape === "map") {
    const entries = Object.entries((given ?? {}) as Json);
    return entries.length === 0 ? null : Object.fromEntries(entries.map(([name, value]) => [name, one(value)]));
  }
  if (given === undefined || given === null) return absent(field);
  if (field.kind === "bytes") return given === "" ? null : given;
  return one(given);
}

function absent(field: FieldSchema): unknown {
  if (field.optional || ["message", "struct", "value", "bytes"].includes(field.kind)) return null;
  if (field.kind === "string") return "";
  if (field.kind === "bool") return false;
  return field.kind === "time" ? "0001-01-01T00:00:00Z" : 0;
}

/** -0 is 0 in JSON text. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("json", () => {
  // Catches a field that the codec, the wire format or the schema table loses or changes.
  it("any Job in JSON, through message and bytes and back, shows what was given and explicit defaults", () => {
    fc.assert(
      fc.property(jsonOf("Job", 5), (given) => {
        const bytes = Job.encode(fromJson<Job>("Job", plain(given))).finish();
        expect(JSON.parse(toJson("Job", Job.decode(bytes)))).toEqual(plain(shown("Job", given)));
      }),
      { numRuns: 150 },
    );
  });

  it.each(messages)("%s in JSON, through message and bytes and back, is kept", (name) => {
    const codec = codecs[name] as Codec;
    fc.assert(
      fc.property(jsonOf(name, 2), (given) => {
        const bytes = codec.encode(fromJson(name, plain(given))).finish();
        expect(JSON.parse(toJson(name, codec.decode(bytes)))).toEqual(plain(shown(name, given)));
      }),
      { numRuns: 15 },
    );
  });

  it("field names: another case, matched; unknown ones, ignored", () => {
    expect(fromJson<Job>("Job", { id: "a", NAME: "b", Nonsense: 1 })).toMatchObject({ ID: "a", Name: "b" });
  });

  it("null: leaves a field at its default", () => {
    expect(fromJson<Job>("Job", { ID: null, TaskGroups: null, Meta: null, Update: null })).toEqual(Job.create());
  });

  it.each([
    ["a number for a text", { ID: 5 }, "json: cannot unmarshal number 5 into Go struct field Job.ID of type string"],
    [
      "a text for a number",
      { Priority: "5" },
      "json: cannot unmarshal string into Go struct field Job.Priority of type int",
    ],
    [
      "a fraction",
      { Priority: 1.5 },
      "json: cannot unmarshal number 1.5 into Go struct field Job.Priority of type int",
    ],
    [
      "too large",
      { Priority: 2 ** 31 },
      `json: cannot unmarshal number ${2 ** 31} into Go struct field Job.Priority of type int`,
    ],
    [
      "a negative index",
      { CreateIndex: -1 },
      "json: cannot unmarshal number -1 into Go struct field Job.CreateIndex of type uint64",
    ],
    [
      "an object for a list",
      { Datacenters: {} },
      "json: cannot unmarshal object into Go struct field Job.Datacenters of type []string",
    ],
    [
      "a list for a map",
      { Meta: [] },
      "json: cannot unmarshal array into Go struct field Job.Meta of type map[string]string",
    ],
    [
      "a list for an object",
      { Update: [] },
      "json: cannot unmarshal array into Go struct field Job.Update of type UpdateStrategy",
    ],
    [
      "deep inside",
      { TaskGroups: [{ Tasks: [{ Leader: 1 }] }] },
      "json: cannot unmarshal number 1 into Go struct field Job.TaskGroups.Tasks.Leader of type bool",
    ],
    ["bad base64", { Payload: "?" }, "illegal base64 data in field Job.Payload"],
    [
      "a text for an object",
      { TaskGroups: [{ Tasks: [{ Config: "x" }] }] },
      "json: cannot unmarshal string into Go struct field Job.TaskGroups.Tasks.Config of type map[string]interface {}",
    ],
  ])("refused: %s", (_, given, text) => {
    expect(() => fromJson("Job", given)).toThrow(new SteppeError("invalid", text));
  });

  it("null inside a map: an empty text or list, where a message would be no entry", () => {
    const job = fromJson<Job>("Job", {
      Meta: { a: null },
      TaskGroups: [{ Volumes: { v: null }, Services: [{ Checks: [{ Header: { h: null } }] }] }],
    });
    expect(job.Meta).toEqual({ a: "" });
    expect(job.TaskGroups[0]).toMatchObject({
      Volumes: {},
      Services: [{ Checks: [{ Header: { h: { Values: [] } } }] }],
    });
  });

  it("key __proto__: refused wherever it would be lost", () => {
    expect(() => fromJson("Job", JSON.parse('{"Meta":{"__proto__":"x"}}'))).toThrow(/__proto__/);
    const config = JSON.parse('{"TaskGroups":[{"Tasks":[{"Config":{"a":[{"__proto__":1}]}}]}]}');
    expect(() => fromJson("Job", config)).toThrow(/__proto__/);
  });

  it("free-form JSON nested beyond reason: refused instead of exhausting the stack", () => {
    let config: unknown = 1;
    for (let i = 0; i < 100_000; i++) config = [config];
    const given = { TaskGroups: [{ Tasks: [{ Config: { config } }] }] };
    expect(() => fromJson("Job", given)).toThrow(/exceeded max depth/);
  });

  it("lists: an empty one is [], where a field would be null", () => {
    expect(listToJson("Job", [])).toBe("[]");
    expect(JSON.parse(listToJson("Job", [Job.create({ ID: "a" }), Job.create({ ID: "b" })]))).toMatchObject([
      { ID: "a" },
      { ID: "b" },
    ]);
  });

  it("large integers: all digits, no exponent", () => {
    expect(toJson("Job", Job.create({ SubmitTime: 1_700_000_000_000_000_000 }))).toContain(
      '"SubmitTime":1700000000000000000,',
    );
  });
});
