// Builds what is published and put into images: dist/, one npm package with everything in it as
// plain JavaScript. The workspace's packages lie under dist/node_modules/@steppe, for those who import
// them; the command itself runs from a few joined files in dist/lib, what it depends on with it, since
// finding and reading hundreds took most of its start.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const emitted = join(root, ".cache/build");
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const write = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

rmSync(dist, { recursive: true, force: true });
rmSync(emitted, { recursive: true, force: true });
const options = ["--noEmit", "false", "--declaration", "--rootDir", root, "--outDir", emitted];
execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", join(root, "tsconfig.json"), ...options], {
  stdio: "inherit",
});

const names = readdirSync(join(root, "packages")).filter((name) =>
  existsSync(join(root, "packages", name, "package.json")),
);
const dependencies = {};
for (const name of names) {
  const manifest = read(join(root, "packages", name, "package.json"));
  const target = join(dist, "node_modules/@steppe", name);
  mkdirSync(target, { recursive: true });
  const folder = name === "proto" ? "gen" : "src";
  const source = name === "proto" ? join(root, "packages/proto/gen") : join(emitted, "packages", name, "src");
  cpSync(source, join(target, folder), {
    recursive: true,
    filter: (file) => !/\.test\.(js|d\.ts)$|\/(testing|bench)(\/|$)/.test(file),
  });
  for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
    if (!dependency.startsWith("@steppe/")) dependencies[dependency] = range;
  }
  const { "./internal": _, ...doors } = manifest.exports;
  const exports = JSON.parse(JSON.stringify(doors).replaceAll(/\.ts"/g, '.js"').replaceAll(".d.js", ".d.ts"));
  write(join(target, "package.json"), {
    name: manifest.name,
    version: manifest.version,
    license: manifest.license,
    type: "module",
    exports,
  });
}

// Node's compile cache keeps what was compiled once for the next start; where it cannot write it does without.
const STEPPE = `#!/usr/bin/env node
import { enableCompileCache } from "node:module";
enableCompileCache();
await import("../lib/steppe.js");
`;
const bundle = await rolldown({
  input: {
    steppe: join(emitted, "packages/cli/src/main.js"),
    // The file of a thread or process is named by the code, and lies beside it.
    "embedded-thread": join(emitted, "packages/log/src/embedded-thread.js"),
    "compaction-process": join(emitted, "packages/server/src/durability/compaction-process.js"),
    "upload-process": join(emitted, "packages/server/src/durability/upload-process.js"),
  },
  platform: "node",
  // NATS's client is loaded only where a region has NATS, from what npm installed.
  external: (id) => id.startsWith("@nats-io/"),
  plugins: [bareBuiltins()],
  resolve: { alias: Object.fromEntries(names.flatMap(doorsOf)) },
});
const joined = await bundle.write({
  ...{ dir: join(dist, "lib"), format: "esm", entryFileNames: "[name].js", sourcemap: true, comments: false },
  // One character outside of ASCII, and V8 keeps the whole text with two bytes for each.
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
});
writeFileSync(join(dist, "lib/LICENSES"), licencesOf(joined.output.flatMap(({ moduleIds = [] }) => moduleIds)));

/**
 * Builtins without the module that Node makes for an `import`: it reads every export, and some of these are made when
 * first read. Those of "node:http" load all of `fetch`. Here only exports that somebody imports are read.
 */
function bareBuiltins() {
  const PREFIX = "\0builtin:";
  return {
    name: "bare-builtins",
    resolveId(id, _importer, { kind }) {
      if (!isBuiltin(id)) return null;
      return kind === "import-statement" ? `${PREFIX}${id}` : { id, external: true };
    },
    load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const name = id.slice(PREFIX.length);
      const exports = Object.getOwnPropertyNames(process.getBuiltinModule(name))
        .filter((key) => /^[a-z_$][\w$]*$/i.test(key) && key !== "default")
        .map((key) => `export const ${key} = /* @__PURE__ */ (() => builtin.${key})();`);
      const lines = [`const builtin = process.getBuiltinModule("${name}");`, "export default builtin;", ...exports];
      return { code: lines.join("\n"), moduleSideEffects: false };
    },
  };
}

/** Of the packages whose files were joined in, each with its name: they want to go with their code. */
function licencesOf(modules) {
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name: of, version, license: kind } = read(join(folder, "package.json"));
    const file = readdirSync(folder).find((it) => /^(licen[cs]e|copying)/i.test(it));
    return `${of} ${version}: ${kind}\n\n${file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim()}`;
  });
  return `${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

/** What each import of a package of ours means among the emitted files. */
function doorsOf(name) {
  const { exports } = read(join(root, "packages", name, "package.json"));
  return Object.entries(exports).map(([door, target]) => {
    const file = (typeof target === "string" ? target : target.default).replace(/\.ts$/, ".js");
    const folder = name === "proto" ? join(root, "packages") : join(emitted, "packages");
    return [`@steppe/${name}${door.slice(1)}`, join(folder, name, file)];
  });
}

const { version, description, license } = read(join(root, "package.json"));
const bundled = names.map((name) => `@steppe/${name}`);
const sorted = Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
write(join(dist, "package.json"), {
  ...{ name: "steppe-control-plane", version, description, license, type: "module" },
  ...{ bin: { steppe: "bin/steppe.js" }, engines: { node: ">=24" } },
  dependencies: { ...sorted, ...Object.fromEntries(bundled.map((name) => [name, version])) },
  bundledDependencies: bundled,
});
mkdirSync(join(dist, "bin"));
writeFileSync(join(dist, "bin/steppe.js"), STEPPE);
chmodSync(join(dist, "bin/steppe.js"), 0o755);
for (const file of ["README.md", "LICENSE"])
  if (existsSync(join(root, file))) cpSync(join(root, file), join(dist, file));
console.log(`built dist/ from ${names.length} packages`);
