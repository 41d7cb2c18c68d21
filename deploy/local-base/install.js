// `npm install --omit=dev` in dist/ without a registry: copies what the package needs at run time, and
// what that needs, from the checkout's own node_modules.
import { cpSync, existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const root = realpathSync(process.argv[2] ?? ".");
const target = join(root, "dist/node_modules");
const seen = new Set();

const { dependencies } = manifest(join(root, "dist"));
for (const name of Object.keys(dependencies)) if (!name.startsWith("@steppe/")) take(name, root);

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** `from`: the folder of who asks for it; npm may have put a version of its own below that. */
function take(name, from) {
  const source = find(name, from);
  if (source === undefined || seen.has(source)) return;
  seen.add(source);
  const place = join(target, source.slice(join(root, "node_modules/").length));
  if (!existsSync(place)) {
    cpSync(source, place, {
      recursive: true,
      filter: (path) => path === source || !path.slice(source.length).includes("/node_modules"),
    });
  }
  const { dependencies: needed = {}, optionalDependencies: wanted = {} } = manifest(source);
  for (const other of Object.keys({ ...needed, ...wanted })) take(other, source);
}

function find(name, from) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
  }
  return undefined;
}
