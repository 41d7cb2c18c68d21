// Where a process spends its time, from a profile of V8 (`--cpu-prof`), by part of the system.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** First match wins. What matches none counts for whoever called it. */
const PARTS: readonly (readonly [part: string, where: RegExp])[] = [
  ["idle", /^\(idle\)$/],
  ["garbage collection", /^\(garbage collector\)$/],
  ["JSON and validation", /packages\/model\/|^(parse|stringify)$/],
  ["encode and decode", /packages\/proto\/|@bufbuild\/protobuf/],
  ["log", /packages\/log\/|@nats-io|node:internal\/(worker|per_context\/messageport)|nkeys/],
  ["apply", /packages\/state\//],
  ["scheduling and broker", /packages\/(scheduler|control)\//],
  ["blocking queries", /packages\/watch\//],
  ["gRPC", /packages\/regions\/|@grpc|node:internal\/http2/],
  ["HTTP", /packages\/http\/|fastify|find-my-way|node:_http|node:http|node:net|node:internal\/(stream|net)/],
  ["services", /packages\/(server|client|runtime|cli)\//],
];

/** Shares of the time it was not idle, and how idle it was. */
export interface Shares {
  readonly idle: number;
  readonly parts: ReadonlyMap<string, number>;
}

/** Of the profile of the main thread in the folder: the longest one. */
export function sharesOf(folder: string): Shares {
  const profiles = readdirSync(folder)
    .filter((name) => name.endsWith(".cpuprofile"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Profile);
  const [main] = profiles.toSorted((a, b) => b.nodes.length - a.nodes.length);
  if (main === undefined) throw new Error(`no profile in ${folder}`);
  return count(main);
}

function count({ nodes, samples, timeDeltas }: Profile): Shares {
  const parts = partsOf(nodes);
  const times = new Map<string, number>();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const part = parts.get(id) ?? "Node itself";
    const time = timeDeltas[i] ?? 0;
    times.set(part, (times.get(part) ?? 0) + time);
    total += time;
  }
  const idle = times.get("idle") ?? 0;
  times.delete("idle");
  for (const [part, time] of times) times.set(part, time / (total - idle));
  return { idle: idle / total, parts: times };
}

function partsOf(nodes: Profile["nodes"]): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parts = new Map<number, string>();
  const walk = (id: number, inherited: string) => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName, url } = node.callFrame;
    const own = PARTS.find(([, where]) => where.test(url === "" ? functionName : url))?.[0] ?? inherited;
    parts.set(id, own);
    for (const child of node.children ?? []) walk(child, own);
  };
  const [root] = nodes;
  if (root !== undefined) walk(root.id, "Node itself");
  return parts;
}
