import {
  type Attribute,
  type Body,
  BodyReader,
  EMPTY_SCOPE,
  errorAt,
  evaluate,
  locate,
  type Place,
  type Value,
} from "@steppe/jobspec";
import { MILLISECOND, parseDuration } from "@steppe/model";
import { type FileOptions, NEVER_IGNORED, OPTIONS, type Scalar, type Table } from "./options.ts";
import { mergeTree, type Origin, type Settings } from "./settings.ts";

type Tree = Record<string, unknown>;

/**
 * Reads one parsed agent file by the table of options.
 * @throws SteppeError `invalid` with file and line for a value of the wrong type
 */
export function decodeSettings(body: Body): Settings {
  const decoder = new Decoder();
  const options = decoder.table(body, OPTIONS, "") as FileOptions;
  return { options, origins: decoder.origins, warnings: decoder.warnings() };
}

class Decoder {
  readonly origins = new Map<string, Origin>();
  readonly #warnings: { readonly at: Place; readonly message: string }[] = [];

  /** In the order of the file. */
  warnings(): string[] {
    return this.#warnings
      .sort((a, b) => a.at.offset - b.at.offset)
      .map(({ at, message }) => `${message} (${at.source.filename}:${locate(at).line})`);
  }

  table(body: Body, table: Table, prefix: string): Tree {
    const reader = new BodyReader(body);
    const result: Tree = {};
    for (const { name, at } of reader.names()) {
      const path = prefix + name;
      const option = Object.hasOwn(table, name) ? table[name] : undefined;
      if (option === undefined) this.#warn(at, `unknown option ${path} is ignored`);
      else if (option === "unsupported") this.#warnUnsupported(reader, name, at, path);
      else if (typeof option === "string") this.#scalar(reader, name, option, path, result);
      else if ("block" in option) result[name] = this.#block(reader, name, option.block, path);
      else if ("labelled" in option) result[name] = this.#labelled(reader, name, option.labelled, path);
      else this.#warn(at, `option ${path} is not needed and is ignored: ${option.notNeeded}`);
    }
    return result;
  }

  #scalar(reader: BodyReader, name: string, kind: Scalar, path: string, result: Tree): void {
    const value = kind === "map" ? this.#map(reader, name, path) : this.#value(reader.attribute(name), kind, path);
    // As in Nomad, an empty string is as good as none: generated files leave them behind.
    if (value !== "" && value !== undefined) result[name] = value;
  }

  #value(attribute: Attribute | undefined, kind: Scalar, path: string): unknown {
    if (attribute === undefined) return undefined;
    const value = evaluate(attribute.value, EMPTY_SCOPE);
    if (value === null) return undefined;
    const converted = convert(value, kind);
    if (converted === undefined) {
      throw errorAt(attribute.value.at, `${path} must be ${WANTED[kind]}, not ${describe(value)}`);
    }
    this.origins.set(path, attribute.value.at);
    return converted;
  }

  #map(reader: BodyReader, name: string, path: string): Record<string, string> {
    const pairs = reader.blocks(name).flatMap(({ body }) => {
      const inner = new BodyReader(body);
      return inner.names().map((member) => {
        const value = this.#value(inner.attribute(member.name), "string", `${path}.${member.name}`);
        return [member.name, String(value ?? "")] as const;
      });
    });
    return Object.fromEntries(pairs);
  }

  #block(reader: BodyReader, name: string, table: Table, path: string): Tree {
    return reader
      .blocks(name)
      .map(({ body, at }) => {
        this.origins.set(path, at);
        return this.table(body, table, `${path}.`);
      })
      .reduce((earlier, later) => ({ ...mergeTree(earlier, later, table) }), {});
  }

  #labelled(reader: BodyReader, name: string, table: Table, path: string): Tree {
    const blocks = reader.blocks(name, 1).map(({ labels: [label = ""], body, at }) => {
      this.origins.set(`${path}.${label}`, at);
      return [label, this.table(body, table, `${path}.${label}.`)] as const;
    });
    return Object.fromEntries(blocks);
  }

  #warnUnsupported(reader: BodyReader, name: string, at: Place, path: string): void {
    const danger = NEVER_IGNORED.get(path);
    // Switched off is what it is here: nothing is ignored.
    if (danger !== undefined && this.#value(reader.attribute(name), "bool", path) === false) return;
    if (danger !== undefined) throw errorAt(at, `${path} is not supported by this version: ${danger}`);
    this.#warn(at, `option ${path} is not supported by this version and is ignored`);
  }

  #warn(at: Place, message: string): void {
    this.#warnings.push({ at, message });
  }
}

const WANTED: Readonly<Record<Scalar, string>> = {
  string: "a string",
  int: "a whole number",
  number: "a number",
  bool: "true or false",
  duration: 'a duration such as "30s" (or whole nanoseconds)',
  strings: "a list of strings",
  "strings+": "a list of strings",
  map: "a block of strings",
};

function describe(value: Value): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object"
    ? "a block"
    : `the ${typeof value === "boolean" ? "bool" : typeof value} ${JSON.stringify(value)}`;
}

/** Nomad's files are read weakly: "4646" is a number, 1 is a string, and a single string is a list of one. */
function convert(value: Value, kind: Scalar): unknown {
  switch (kind) {
    case "string":
      return typeof value === "object" ? undefined : String(value);
    case "int":
      return toNumber(value, /^-?\d+$/);
    case "number":
      return toNumber(value, /^-?\d+(\.\d+)?$/);
    case "bool":
      return toBool(value);
    case "duration":
      return toMilliseconds(value);
    case "strings":
    case "strings+":
      return toStrings(value);
    case "map":
      return undefined;
  }
}

function toNumber(value: Value, pattern: RegExp): number | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  return pattern.test(String(value)) ? Number(value) : undefined;
}

function toBool(value: Value): boolean | undefined {
  if (value === true || value === "true" || value === "1" || value === 1) return true;
  return value === false || value === "false" || value === "0" || value === 0 ? false : undefined;
}

function toMilliseconds(value: Value): number | undefined {
  const nanoseconds = typeof value === "string" ? parseDuration(value) : toNumber(value, /^-?\d+$/);
  return nanoseconds === undefined ? undefined : nanoseconds / MILLISECOND;
}

function toStrings(value: Value): readonly string[] | undefined {
  const items: readonly Value[] = Array.isArray(value) ? value : [value];
  const strings = items.filter((item) => typeof item === "string");
  return strings.length === items.length ? strings.filter((item) => item !== "") : undefined;
}
