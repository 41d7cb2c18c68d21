import type { Body, Expression } from "../hcl/ast.ts";
import type { Scope } from "../hcl/evaluate.ts";
import { BodyReader } from "../hcl/reader.ts";
import { errorAt, type Place } from "../hcl/source.ts";
import { describe, isList, isObject, sortedKeys, toText, type Value } from "../hcl/value.ts";
import { jobValue } from "./values.ts";

/** A block, with what names mean in it. */
export interface ScopedBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: Body;
  readonly at: Place;
  readonly scope: Scope;
}

/** Iterations that a file may ask for; each makes a block, and they nest. */
const EXPANSION_MAX = 10_000;

/** The blocks of a body, each `dynamic` one replaced by the blocks that it stands for. */
export function expandBlocks(body: Body, scope: Scope): ScopedBlock[] {
  return body.blocks.flatMap((block): ScopedBlock[] =>
    block.type === "dynamic" ? expand(block, scope) : [{ ...block, scope }],
  );
}

function expand(block: Body["blocks"][number], scope: Scope): ScopedBlock[] {
  const [type] = block.labels;
  if (type === undefined || block.labels.length > 1) {
    throw errorAt(block.at, 'block "dynamic" takes 1 label: the type of the blocks to make');
  }
  const reader = new BodyReader(block.body);
  const each = reader.attribute("for_each");
  const iterator = reader.attribute("iterator")?.value;
  const labels = reader.attribute("labels");
  const [content, another] = reader.blocks("content");
  for (const { name, at } of reader.unknown()) throw errorAt(at, `"${name}" is not known in a dynamic block`);
  if (each === undefined) throw errorAt(block.at, 'a dynamic block needs "for_each"');
  if (content === undefined || another !== undefined) {
    throw errorAt(block.at, 'a dynamic block needs one block "content"');
  }
  const name = iterator === undefined ? type : nameOf(iterator, block.body.json);
  const pairs = pairsOf(jobValue(each.value, scope), each.value.at);
  return pairs.map(([key, value]) => {
    const inner: Scope = { ...scope, variables: new Map([...scope.variables, [name, { key, value }]]) };
    const given = labels === undefined ? [] : jobValue(labels.value, inner);
    if (!isList(given)) throw errorAt((labels as { at: Place }).at, "labels are a list of strings");
    return { type, labels: given.map(toText), body: content.body, at: block.at, scope: inner };
  });
}

function nameOf(iterator: Expression, json = false): string {
  if (iterator.kind === "variable") return iterator.name;
  if (json && iterator.kind === "literal" && typeof iterator.value === "string") return iterator.value;
  throw errorAt(iterator.at, "an iterator is a name, without quotes");
}

function pairsOf(value: Value, at: Place): readonly (readonly [Value, Value])[] {
  if (!isList(value) && !isObject(value)) {
    throw errorAt(at, `for_each needs a list or a map, got ${describe(value)}`);
  }
  const pairs: (readonly [Value, Value])[] = isList(value)
    ? value.map((item, i) => [i, item] as const)
    : sortedKeys(value).map((key) => [key, value[key] ?? null] as const);
  if (pairs.length > EXPANSION_MAX) throw errorAt(at, `for_each has more than ${EXPANSION_MAX} items`);
  return pairs;
}
