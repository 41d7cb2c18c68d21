import type { Attribute, Body, Expression } from "./ast.ts";
import { bodyOfObject } from "./parse.ts";
import { errorAt, type Place } from "./source.ts";

export interface NamedPlace {
  readonly name: string;
  readonly at: Place;
}

export interface ReadBlock {
  readonly labels: readonly string[];
  readonly body: Body;
  readonly at: Place;
}

/**
 * Reads a body by name and remembers which names were asked for, so that what nobody knows can be told.
 * A block may be written as a block, as an object, or (JSON) as a list of objects; labels may be written
 * behind the type or as the keys of an enclosing object.
 */
export class BodyReader {
  readonly #body: Body;
  readonly #known = new Set<string>();

  constructor(body: Body) {
    this.#body = body;
  }

  /** The option of that name, or undefined when the body does not set it. */
  attribute(name: string): Attribute | undefined {
    this.#known.add(name);
    const block = this.#body.blocks.find((each) => each.type === name);
    if (block !== undefined) throw errorAt(block.at, `"${name}" is an option, not a block; write ${name} = …`);
    return this.#body.attributes.get(name);
  }

  /** Every block of that type, in order. `labelCount` is how many labels the type has. */
  blocks(name: string, labelCount = 0): ReadBlock[] {
    this.#known.add(name);
    const written = this.#body.blocks
      .filter((block) => block.type === name)
      .flatMap((block) => unlabel(block.body, block.labels, block.at, name, labelCount));
    const attribute = this.#body.attributes.get(name);
    if (attribute === undefined) return written;
    const objects = objectsOf(attribute.value, name, this.#body.json);
    return [...written, ...objects.flatMap((body) => unlabel(body, [], attribute.at, name, labelCount))];
  }

  /** Options and blocks that were not asked for, in the order they are written. */
  unknown(): NamedPlace[] {
    return this.names().filter(({ name }) => !this.#known.has(name));
  }

  /** Every name in the body once, in the order they are written. */
  names(): NamedPlace[] {
    const places = new Map<string, Place>();
    for (const { name, at } of this.#body.attributes.values()) places.set(name, at);
    for (const { type, at } of this.#body.blocks) if (!places.has(type)) places.set(type, at);
    return [...places].map(([name, at]) => ({ name, at })).sort((a, b) => a.at.offset - b.at.offset);
  }
}

function objectsOf(value: Expression, name: string, json = false): Body[] {
  if (value.kind === "object") return [bodyOfObject(value, json)];
  if (value.kind === "tuple") return value.items.flatMap((item) => objectsOf(item, name, json));
  if (json && value.kind === "literal" && value.value === null) return [];
  throw errorAt(value.at, `"${name}" is a block; write ${name} { … }`);
}

/**
 * A body of JSON in which the members of these names are blocks, each with as many labels as is said. Any
 * other body as it is.
 */
export function withBlocksOf(body: Body, labels: ReadonlyMap<string, number>): Body {
  if (body.json !== true) return body;
  const reader = new BodyReader(body);
  const attributes = new Map([...body.attributes].filter(([name]) => !labels.has(name)));
  const blocks = [...body.attributes.keys()].flatMap((type) => {
    const count = labels.get(type);
    return count === undefined ? [] : reader.blocks(type, count).map((block) => ({ type, ...block }));
  });
  return { at: body.at, attributes, blocks };
}

function unlabel(body: Body, labels: readonly string[], at: Place, name: string, count: number): ReadBlock[] {
  if (labels.length > count)
    throw errorAt(at, `block "${name}" takes ${count === 0 ? "no" : count} label${count === 1 ? "" : "s"}`);
  if (labels.length === count) return [{ labels, body, at }];
  const inner = new BodyReader(body);
  return inner
    .names()
    .flatMap((label) =>
      inner.blocks(label.name).flatMap((each) => unlabel(each.body, [...labels, label.name], each.at, name, count)),
    );
}
