// Makes packages/proto/gen from proto/, offline: buf runs ts-proto over the contract, and this
// script compiles the result to plain JavaScript with declarations (so that no process strips
// types from a megabyte of generated code at start), adds a table of all messages (which the
// JSON codec in packages/model is built from) and lets 64-bit fields be plain numbers.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(root, ".cache/proto");
const out = join(root, "packages/proto/gen");
const bin = (name) => join(root, "node_modules/.bin", name);
const run = (command, args) =>
  execFileSync(command, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 28 });

run(bin("buf"), ["generate"]);
const set = run(bin("buf"), ["build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=binpb"]);
const image = JSON.parse(run(bin("buf"), ["build", "--as-file-descriptor-set", "-o", "-#format=json"]).toString());

const folder = join(cache, "steppe/v1");
// The custom option is only read here; nothing at run time needs it.
rmSync(join(folder, "options.ts"));
rmSync(join(cache, "google/protobuf/descriptor.ts"));
const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
for (const name of [...files.map((file) => join(folder, file)), join(cache, "google/protobuf/struct.ts")]) {
  const source = readFileSync(name, "utf8")
    .replace(
      '{ BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire"',
      '{ BinaryReader, BinaryWriter, hasEntries, NO_BYTES } from "../../wire.js"',
    )
    .replaceAll("new Uint8Array(0)", "NO_BYTES")
    .replaceAll(/longToNumber\((reader\.\w+\(\))\)/g, "$1")
    .replace(/function longToNumber[\s\S]*?\n}\n/, "")
    // Most maps of a message are empty, and a new message has empty ones already.
    .replace(/^( +)(globalThis\.Object\.entries\((message\.\w+)\)\.forEach\()/gm, "$1if (hasEntries($3)) $2")
    .replace(
      /^( +)(message\.(\w+) =\s+\(globalThis\.Object\.entries\(object\.\3 \?\? {}\))/gm,
      "$1if (hasEntries(object.$3)) $2",
    )
    // What makes a message with nothing set; the JSON codec starts from it.
    .replace(/^function (createBase\w+)\(/gm, "export function $1(");
  writeFileSync(name, source);
}
cpSync(join(root, "packages/proto/src/wire.ts"), join(cache, "wire.ts"));
writeFileSync(join(cache, "schema.ts"), schemaSource(image, files));
writeFileSync(join(cache, "descriptors.ts"), descriptorsSource(image, messagesOf(set)));
const modules = files.map((file) => `./steppe/v1/${file.replace(".ts", ".js")}`);
// Names that every generated file exports are left out of the index.
writeFileSync(join(cache, "index.ts"), indexSource(modules));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
run(bin("tsc"), [
  ...["--project", join(root, "packages/proto/tsconfig.json")],
  ...["--rootDir", cache, "--outDir", out],
]);
console.log(`generated packages/proto/gen from ${files.length} files`);

/** The length-delimited messages of field 1, in order: the files of a descriptor set. */
function messagesOf(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    at += 1;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

/** What server reflection tells: each file's descriptor, and which names are declared in it. */
function descriptorsSource(set, encoded) {
  const files = set.file.map((file, n) => ({
    name: file.name,
    dependencies: file.dependency ?? [],
    symbols: symbolsOf(file),
    base64: encoded[n].toString("base64"),
  }));
  return `export interface Descriptor {
  readonly name: string;
  readonly dependencies: readonly string[];
  /** Messages, services and their methods, with the package before them. */
  readonly symbols: readonly string[];
  /** A google.protobuf.FileDescriptorProto. */
  readonly base64: string;
}

export const descriptors: readonly Descriptor[] = ${JSON.stringify(files)};
`;
}

function symbolsOf(file) {
  const messages = (list = [], prefix) =>
    list.flatMap((it) => [`${prefix}.${it.name}`, ...messages(it.nestedType, `${prefix}.${it.name}`)]);
  const services = (file.service ?? []).flatMap(({ name, method = [] }) => [
    `${file.package}.${name}`,
    ...method.map((it) => `${file.package}.${name}.${it.name}`),
  ]);
  return [...messages(file.messageType, file.package), ...services];
}

function indexSource(names) {
  return names
    .map((name) => {
      const source = readFileSync(join(cache, name.replace(".js", ".ts")), "utf8");
      const exported = [...source.matchAll(/^export (const|interface|type) (\w+)/gm)]
        .map((match) => ({ kind: match[1], name: match[2] }))
        .filter(({ name: it }) => !/^(protobuf\w+|MessageFns|DeepPartial|.*Entry)$/.test(it) || it === "Entry");
      const values = exported.filter((it) => it.kind === "const").map((it) => it.name);
      const types = exported.filter((it) => it.kind !== "const" && !values.includes(it.name)).map((it) => it.name);
      const lines = [];
      if (values.length > 0) lines.push(`export { ${values.join(", ")} } from "${name}";`);
      if (types.length > 0) lines.push(`export type { ${types.join(", ")} } from "${name}";`);
      return lines.join("\n");
    })
    .concat('export type { DeepPartial, MessageFns } from "./steppe/v1/job.js";\n')
    .join("\n");
}

function schemaSource(set, sources) {
  const messages = {};
  for (const file of set.file.filter((it) => it.package === "steppe.v1")) {
    for (const message of file.messageType ?? []) {
      const entries = Object.fromEntries((message.nestedType ?? []).map((it) => [it.name, it]));
      messages[message.name] = (message.field ?? []).map((field) => fieldSchema(field, entries));
    }
  }
  const imports = sources.map((file) => {
    const made = emptyMakers(file).filter((name) => messages[name] !== undefined);
    return { file: file.replace(".ts", ".js"), names: made.map((name) => `${name}: createBase${name}`), made };
  });
  const lines = imports.map(({ file, made }) => {
    return `import { ${made.map((name) => `createBase${name}`).join(", ")} } from "./steppe/v1/${file}";`;
  });
  return `${lines.join("\n")}

/** How one field of a message looks on the wire and in JSON. */
export interface FieldSchema {
  readonly name: string;
  readonly kind: "string" | "bool" | "int32" | "uint32" | "int64" | "uint64" | "double" | "bytes" | "time" | "struct" | "value" | "message";
  /** With kind "message": its name. */
  readonly message?: string;
  readonly shape?: "list" | "map";
  /** A scalar that may be absent. */
  readonly optional?: true;
  /** Member of the named oneof. */
  readonly oneof?: string;
}

export const schema: Readonly<Record<string, readonly FieldSchema[]>> = ${JSON.stringify(messages)};

/** Each message with nothing set: made by one literal, so that all objects of a message have one shape. */
export const empty: Readonly<Record<string, () => object>> = { ${imports.flatMap((it) => it.names).join(", ")} };
`;
}

/** Names and functions that make a message with nothing set, by the file they are in. */
function emptyMakers(file) {
  const source = readFileSync(join(folder, file), "utf8");
  return [...source.matchAll(/^export function createBase(\w+)\(/gm)].map((match) => match[1]);
}

function fieldSchema(field, entries) {
  const entry = field.typeName && entries[field.typeName.split(".").at(-1)];
  const isMap = entry?.options?.mapEntry === true;
  const value = isMap ? entry.field.find((it) => it.name === "value") : field;
  const result = { name: field.name, ...kindOf(value) };
  if (field.options?.["[steppe.v1.rfc3339]"]) result.kind = "time";
  if (isMap) result.shape = "map";
  else if (field.label === "LABEL_REPEATED") result.shape = "list";
  if (field.proto3Optional) result.optional = true;
  else if (field.oneofIndex !== undefined) result.oneof = "Kind";
  return result;
}

function kindOf(field) {
  if (field.type !== "TYPE_MESSAGE") {
    const kind = field.type.replace("TYPE_", "").toLowerCase();
    return { kind: { fixed64: "uint64", float: "double" }[kind] ?? kind };
  }
  if (field.typeName === ".google.protobuf.Struct") return { kind: "struct" };
  if (field.typeName === ".google.protobuf.Value") return { kind: "value" };
  return { kind: "message", message: field.typeName.split(".").at(-1) };
}
