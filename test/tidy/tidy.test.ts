// House rules that no linter knows: which package may see which, and what pure code may not touch.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** What the product code of each package may import. `runtime` makes real clocks: only those who wire may have it. */
const MAY_SEE: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  model: ["proto"],
  runtime: ["model"],
  jobspec: ["model"],
  state: ["proto", "model"],
  scheduler: ["proto", "model", "state"],
  log: ["proto", "model"],
  watch: ["proto", "model", "state"],
  control: ["proto", "model", "state", "scheduler", "log"],
  regions: ["proto", "model"],
  http: ["proto", "model"],
  client: ["proto", "model"],
  server: [
    ...["proto", "model", "runtime", "jobspec", "state", "scheduler", "log", "watch"],
    ...["control", "regions", "http", "client"],
  ],
  certificates: [],
  cli: ["server", "certificates"],
  // Drives them all; none of them may see it.
  sim: [
    ...["proto", "model", "runtime", "state", "scheduler", "log", "watch"],
    ...["control", "regions", "client", "server"],
  ],
};

const PURE_PACKAGES = ["model", "state", "scheduler", "jobspec"];
const PURE_FILES = ["decide.ts", "queue.ts", "route.ts"];

/** Each with what to use in its place. */
const IMPURE: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bDate\b(?!\w)/, "a time passed in"],
  [/\bMath\.random\b/, "a Random passed in"],
  [/\bcrypto\b/, "a Random passed in"],
  [/\bset(Timeout|Interval|Immediate)\b/, "a Clock passed in, outside pure code"],
  [/\bperformance\b/, "a Clock passed in"],
  [/\bprocess\./, "options passed in"],
  [/from "node:/, "nothing of Node in pure code"],
  [/\bawait\b/, "a synchronous function; the loop around it awaits"],
];

const DRAWERS = /(^|\/)(utils?|helpers?|misc|common|types)\.ts$/;

interface Source {
  readonly path: string;
  readonly package: string;
  readonly text: string;
  readonly isTest: boolean;
}

const sources = readdirSync(join(ROOT, "packages")).flatMap((name) =>
  filesUnder(join(ROOT, "packages", name)).map((file): Source => {
    const path = relative(ROOT, file);
    const isTest = /\.test\.ts$|\/testing\/|\/testkit|\/bench\/|fixtures|^packages\/sim\//.test(path);
    return { path, package: name, text: readFileSync(file, "utf8"), isTest };
  }),
);

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules" || entry.name === "gen") return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}

/** Source without comments and string contents: rules are about code. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "")
    .replace(/`(?:[^`\\$]|\\.|\$(?!\{))*`/g, "``")
    .replace(/(?<!from )"(?:[^"\\\n]|\\.)*"/g, '""');
}

test("imports between packages, point one way", () => {
  const wrong = sources
    .filter((source) => !source.isTest)
    .flatMap((source) =>
      [...source.text.matchAll(/from "@steppe\/([\w-]+)([^"]*)"/g)]
        .filter(([, target]) => target !== source.package && !MAY_SEE[source.package]?.includes(target ?? ""))
        .map(([, target]) => `${source.path} imports @steppe/${target}`),
    );
  expect(wrong).toEqual([]);
});

test("imports between packages, use a package's doors only", () => {
  const doors = /^(|\/schema|\/descriptors|\/version|\/invariants|\/nats)$/;
  const wrong = sources.flatMap((source) =>
    [...source.text.matchAll(/from "@steppe\/([\w-]+)([^"]*)"/g)]
      .filter(([, , rest]) => !doors.test(rest ?? "") && !(source.isTest && rest === "/internal"))
      .map(([text]) => `${source.path}: ${text}`),
  );
  expect(wrong).toEqual([]);
});

test("pure code, touches no clock, no randomness, no timers, nothing of Node, and awaits nothing", () => {
  const wrong = sources
    .filter((source) => !source.isTest)
    .filter((source) => PURE_PACKAGES.includes(source.package) || PURE_FILES.includes(basename(source.path)))
    .flatMap((source) => {
      const code = codeOf(source.text);
      return IMPURE.filter(([pattern]) => pattern.test(code)).map(
        ([pattern, instead]) => `${source.path} has ${pattern.source}: use ${instead}`,
      );
    });
  expect(wrong).toEqual([]);
});

test("file names, say what is inside", () => {
  expect(sources.map(({ path }) => path).filter((path) => DRAWERS.test(path))).toEqual([]);
});

test("tests, are neither switched off nor empty", () => {
  const off = /\b(?:it|test|describe)\.(?:skip|only|todo)\b|expect\(true\)/;
  const tests = sources.filter(({ path }) => path.endsWith(".test.ts"));
  expect(tests.filter(({ text }) => off.test(text)).map(({ path }) => path)).toEqual([]);
});

test("threads and processes, each has a file of its own in the joined command", () => {
  const build = readFileSync(join(ROOT, "scripts/build.js"), "utf8");
  const named = /(?:new URL\(`\.\/([\w-]+)\.\$\{extension\}`|file: "([\w-]+-process)",)/g;
  const begun = sources.flatMap(({ path, text }) =>
    [...text.matchAll(named)].map(([, thread, apart]) => `${dirname(path)}/${thread ?? apart}.js`),
  );
  expect(begun.length).toBeGreaterThan(2);
  expect(begun.filter((path) => !build.includes(`"${path}"`))).toEqual([]);
});
