import type { Body } from "../hcl/ast.ts";
import type { Scope } from "../hcl/evaluate.ts";
import { withBlocksOf } from "../hcl/reader.ts";
import { errorAt } from "../hcl/source.ts";
import { isList, isObject, type Value } from "../hcl/value.ts";
import { expandBlocks, type ScopedBlock } from "./dynamic.ts";
import type { AttributeType, BlockSchema, ChildSchema, Json } from "./schema.ts";
import { jobValue, readValue } from "./values.ts";

/**
 * A body as JSON of the API, by its schema. An option or a block that the schema does not have is an
 * error at its place, and so is one that is given too often.
 */
export function decodeBody(written: Body, schema: BlockSchema, scope: Scope, labels: readonly string[] = []): Json {
  const body = withBlocksOf(written, labelCounts(schema));
  const fields: Json = {};
  const children = new Map<string, ScopedBlock[]>();
  const add = (block: ScopedBlock) => children.set(block.type, [...(children.get(block.type) ?? []), block]);
  for (const attribute of body.attributes.values()) {
    const known = own(schema.attributes, attribute.name);
    if (known !== undefined) {
      const [name, type] = known;
      const given = jobValue(attribute.value, scope);
      const value = readValue(attribute.name, written.json ? mapOfJson(given, type) : given, type, attribute.value.at);
      if (value !== undefined) fields[name] = value;
    } else if (own(schema.blocks, attribute.name) !== undefined) {
      throw errorAt(attribute.at, `"${attribute.name}" is a block; write ${attribute.name} { … }`);
    } else {
      throw errorAt(attribute.at, `an option named "${attribute.name}" is not expected here`);
    }
  }
  for (const block of expandBlocks(body, scope)) {
    const known = own(schema.attributes, block.type);
    if (known !== undefined) addMap(fields, known, block);
    else if (own(schema.blocks, block.type) !== undefined) add(block);
    else throw errorAt(block.at, `blocks of type "${block.type}" are not expected here`);
  }
  for (const [type, blocks] of children) addChildren(fields, own(schema.blocks, type) as ChildSchema, blocks);
  return schema.finish === undefined ? fields : schema.finish(fields, labels);
}

function labelCounts({ blocks = {} }: BlockSchema): ReadonlyMap<string, number> {
  const counts = Object.entries(blocks).map(([type, { labels = 0 }]) => [type, labels] as const);
  return new Map([...counts, ["dynamic", 1]]);
}

/** In JSON a block may be a list of objects; a map that could be written as blocks adds up from them. */
function mapOfJson(value: Value, type: AttributeType): Value {
  const isMap = type === "texts" || type === "free" || type === "lists";
  if (!isMap || !isList(value) || value.length === 0 || !value.every(isObject)) return value;
  return Object.assign({}, ...value) as Value;
}

function own<T>(table: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

function addChildren(fields: Json, child: ChildSchema, blocks: readonly ScopedBlock[]): void {
  const decoded = blocks.map((block) => decodeChild(child, block));
  const [first, second] = decoded;
  const [, another] = blocks;
  if (child.form === "one") {
    if (second !== undefined)
      throw errorAt((another as ScopedBlock).at, `only one "${blocks[0]?.type}" block is allowed`);
    fields[child.name] = first;
  } else if (child.form === "list") {
    fields[child.name] = decoded;
  } else {
    fields[child.name] = Object.fromEntries(decoded.map((it, i) => [blocks[i]?.labels[0] ?? "", it]));
  }
}

function decodeChild(child: ChildSchema, { type, labels, body, at, scope }: ScopedBlock): Json {
  const { labels: wanted = 0, labelField } = child;
  // A group's scaling block may have a label that says nothing.
  const mayHaveMore = type === "scaling" && child.form === "one";
  if (labels.length < wanted) throw errorAt(at, `block "${type}" needs a label: ${type} "name" { … }`);
  if (labels.length > wanted && !mayHaveMore) {
    throw errorAt(at, `block "${type}" takes ${wanted === 0 ? "no label" : "one label"}`);
  }
  const decoded = decodeBody(body, child.schema(), scope, labels);
  return labelField === undefined ? decoded : { [labelField]: labels[0], ...decoded };
}

/** `meta { a = 1 }` beside `meta = { a = 1 }`; several blocks add up. */
function addMap(fields: Json, [name, type]: readonly [string, AttributeType], block: ScopedBlock): void {
  if (type !== "texts" && type !== "free" && type !== "lists") {
    throw errorAt(block.at, `"${block.type}" is an option, not a block; write ${block.type} = …`);
  }
  if (block.labels.length > 0) throw errorAt(block.at, `block "${block.type}" takes no label`);
  const value = readValue(block.type, freeBody(block.body, block.scope), type, block.at);
  fields[name] = { ...(fields[name] as Json | undefined), ...(value as Json) };
}

/** A body of which nobody but its reader knows what may stand in it. Its blocks are lists of objects, labels keys. */
function freeBody(body: Body, scope: Scope): { readonly [key: string]: Value } {
  const entries = new Map<string, Value>();
  for (const { name, value } of body.attributes.values()) entries.set(name, jobValue(value, scope));
  for (const block of expandBlocks(body, scope)) {
    const inner = block.labels.reduceRight<Value>(
      (value, label) => ({ [label]: [value] }),
      freeBody(block.body, block.scope),
    );
    const before = entries.get(block.type);
    entries.set(block.type, [...(Array.isArray(before) ? (before as Value[]) : []), inner]);
  }
  return Object.fromEntries(entries);
}
