// What differs between two messages of one kind, computed over the schema table: a new field of
// the contract shows in job diffs without a line here.
import { FieldDiff, ObjectDiff } from "@steppe/proto";
import { type FieldSchema, schema } from "@steppe/proto/schema";
import { compareText } from "./go-text.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface MessageDiff {
  readonly fields: FieldDiff[];
  /** Fields that are the same: the API shows them beside those that changed, in objects below the top. */
  readonly unchanged: FieldDiff[];
  readonly objects: ObjectDiff[];
}

/** Where the API calls a block otherwise than the contract does: by field, then by message. */
const NAMES: Readonly<Record<string, string>> = {
  ReservedPorts: "Static Port",
  DynamicPorts: "Dynamic Port",
  TaskArtifact: "Artifact",
  NetworkResource: "Network",
  RequestedDevice: "Device",
  ServiceCheck: "Check",
  VolumeRequest: "Volume",
};

/** What tells the items of a list apart, so that a changed one shows as edited. Of others each is new or gone. */
const KEYS = ["Name", "Label", "DestPath"];

/** Differences of two messages, either of which may be absent; `ignored` names fields that do not count. */
export function diffMessages(
  message: string,
  a: object | undefined,
  b: object | undefined,
  ignored: ReadonlySet<string> = NOTHING,
): MessageDiff {
  const diff: MessageDiff = { fields: [], unchanged: [], objects: [] };
  for (const field of schema[message] ?? []) {
    if (ignored.has(field.name)) continue;
    diffField(field, (a as Fields | undefined)?.[field.name], (b as Fields | undefined)?.[field.name], diff);
  }
  diff.fields.sort(byName);
  diff.objects.sort(byName);
  return diff;
}

const NOTHING: ReadonlySet<string> = new Set();
const byName = (x: { Name: string }, y: { Name: string }): number => compareText(x.Name, y.Name);

export function typeOf(old: unknown, next: unknown): "Added" | "Deleted" | "Edited" {
  return old === undefined ? "Added" : next === undefined ? "Deleted" : "Edited";
}

function diffField(field: FieldSchema, a: unknown, b: unknown, into: MessageDiff): void {
  const { name, kind, shape } = field;
  if (shape === "list" && kind === "message") into.objects.push(...diffList(field, listOf(a), listOf(b)));
  else if (shape === "list") pushObject(into.objects, name, a, b, compareSets(name, listOf(a), listOf(b)));
  else if (shape === "map" && kind === "message") into.objects.push(...diffMap(field, entriesOf(a), entriesOf(b)));
  else if (shape === "map") pushFields(into, compareTexts(flattened(name, a), flattened(name, b)));
  else if (kind === "message") pushMessage(into.objects, field, a as object | undefined, b as object | undefined);
  else if (kind === "struct") pushObject(into.objects, name, a, b, compareTexts(flatJson("", a), flatJson("", b)));
  else pushFields(into, compareTexts({ [name]: textOf(a) }, { [name]: textOf(b) }));
}

const listOf = (value: unknown): readonly unknown[] => (value ?? []) as readonly unknown[];
const entriesOf = (value: unknown): Fields => (value ?? {}) as Fields;

function pushFields(into: MessageDiff, compared: readonly FieldDiff[]): void {
  for (const field of compared) (isChange(field) ? into.fields : into.unchanged).push(field);
}

const isChange = ({ Type }: FieldDiff): boolean => Type !== "None";

/** All texts by name; an absent one is empty. */
function compareTexts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): FieldDiff[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.map((Name) => fieldDiff(Name, a[Name] ?? "", b[Name] ?? ""));
}

function fieldDiff(Name: string, Old: string, New: string): FieldDiff {
  const Type = Old === New ? "None" : typeOf(Old || undefined, New || undefined);
  return FieldDiff.create({ Type, Name, Old, New });
}

/** Lists of plain values compare as sets. */
function compareSets(name: string, a: readonly unknown[], b: readonly unknown[]): FieldDiff[] {
  const [old, next] = [new Set(a.map(textOf)), new Set(b.map(textOf))];
  const gone = [...old].filter((text) => !next.has(text)).map((text) => fieldDiff(name, text, ""));
  const fresh = [...next].filter((text) => !old.has(text)).map((text) => fieldDiff(name, "", text));
  const kept = [...old].filter((text) => next.has(text)).map((text) => fieldDiff(name, text, text));
  return [...fresh, ...gone, ...kept];
}

function pushObject(into: ObjectDiff[], name: string, a: unknown, b: unknown, fields: FieldDiff[]): void {
  if (!fields.some(isChange)) return;
  const isEmpty = (value: unknown) => value === undefined || Object.keys(value as object).length === 0;
  const Type = typeOf(isEmpty(a) ? undefined : a, isEmpty(b) ? undefined : b);
  into.push(ObjectDiff.create({ Type, Name: name, Fields: fields.sort(byName) }));
}

function pushMessage(into: ObjectDiff[], field: FieldSchema, a: object | undefined, b: object | undefined): void {
  const diff = diffMessages(field.message as string, a, b);
  const isNew = (a === undefined) !== (b === undefined);
  if (diff.fields.length === 0 && diff.objects.length === 0 && !isNew) return;
  const Fields = [...diff.fields, ...diff.unchanged].sort(byName);
  into.push(ObjectDiff.create({ Type: typeOf(a, b), Name: nameOf(field), Fields, Objects: diff.objects }));
}

function nameOf({ name, message, shape }: FieldSchema): string {
  return NAMES[name] ?? (shape === undefined ? name : (NAMES[message as string] ?? (message as string)));
}

function diffList(field: FieldSchema, a: readonly unknown[], b: readonly unknown[]): ObjectDiff[] {
  const fields = schema[field.message as string] ?? [];
  const key = KEYS.find((name) => fields.some((it) => it.name === name));
  const keyOf = (item: unknown): string => (key === undefined ? "" : String((item as Fields)[key])) || plain(item);
  return diffMap(
    field,
    Object.fromEntries(a.map((it) => [keyOf(it), it])),
    Object.fromEntries(b.map((it) => [keyOf(it), it])),
  );
}

const plain = (item: unknown): string => JSON.stringify(item);

function diffMap(field: FieldSchema, a: Fields, b: Fields): ObjectDiff[] {
  const found: ObjectDiff[] = [];
  for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareText)) {
    pushMessage(found, field, a[key] as object | undefined, b[key] as object | undefined);
  }
  return found;
}

function flattened(name: string, map: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(entriesOf(map)).map(([key, value]) => [`${name}[${key}]`, textOf(value)]));
}

/** A free-form object as texts by path: `args[0]`, `labels.tier`. */
function flatJson(path: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object") return { [path]: textOf(value) };
  const entries = Object.entries(value).map(([key, item]) => {
    const below = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    return flatJson(below, item);
  });
  return Object.assign({}, ...entries) as Record<string, string>;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Uint8Array) return value.length === 0 ? "" : `${value.length} bytes`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
