// Brings a bare clone to where it runs: npm dependencies, generated code, nats-server. Plain
// JavaScript without dependencies, so that any Node from 20 on can run it. Does only what is
// missing or stale, so every other script may call it first.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamps = join(root, "node_modules/.steppe");

step("npm dependencies", ["package.json", "package-lock.json", ...workspaces()], () => {
  // Not `npm ci`: the lock file was made where the registry has no packages for other platforms, and
  // `ci` refuses to add what is missing there.
  run("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    // The install scripts of two packages are needed: node (its binary) and buf.
    env: { ...process.env, npm_config_ignore_scripts: "false" },
  });
});

step(
  "generated code",
  ["buf.yaml", "buf.gen.yaml", "scripts/generate.js", "packages/proto/src/wire.ts", ...files("proto", ".proto")],
  () => {
    run(join(root, "node_modules/node/bin/node"), [join(root, "scripts/generate.js")]);
  },
  "packages/proto/gen/index.js",
);

if (!has("nats-server")) installNats();

/** Runs `work` unless the inputs are those it last ran with. */
function step(name, inputs, work, output) {
  const hash = createHash("sha256");
  for (const input of inputs) hash.update(input).update(readFileSync(join(root, input)));
  const digest = hash.digest("hex");
  const stamp = join(stamps, name.replaceAll(" ", "-"));
  const done = existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
  if (done && (output === undefined || existsSync(join(root, output)))) return;
  say(`${name} …`);
  const begun = Date.now();
  work();
  mkdirSync(stamps, { recursive: true });
  writeFileSync(stamp, digest);
  say(`${name}: ready after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

function installNats() {
  const root = process.getuid?.() === 0;
  if (has("apt-get") && root) {
    say("nats-server (Debian package) …");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = () =>
      spawnSync("apt-get", ["install", "-y", "-qq", "nats-server"], { stdio: ["ignore", "ignore", "pipe"], env });
    let result = install();
    if (result.status !== 0) {
      spawnSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"], env });
      result = install();
    }
    if (result.status === 0 && has("nats-server")) return say("nats-server: installed");
    say(String(result.stderr).trim());
  }
  say(
    "nats-server was not found. Steppe runs without it on its embedded log (one server a region), and tests that need it are left out.\n" +
      "       To have it: apt-get install nats-server (Debian, Ubuntu), brew install nats-server (macOS), or https://nats.io/download",
  );
}

function workspaces() {
  return readdirSync(join(root, "packages"))
    .map((name) => `packages/${name}/package.json`)
    .filter((file) => existsSync(join(root, file)));
}

function files(folder, ending) {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      if (statSync(join(root, path)).isDirectory()) return files(path, ending);
      return name.endsWith(ending) ? [path] : [];
    });
}

function has(command) {
  const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
  return (
    spawnSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore", env: { ...process.env, PATH: path } })
      .status === 0
  );
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
  if (result.error !== undefined) fail(`${command}: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(" ")} failed (exit ${result.status})`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
