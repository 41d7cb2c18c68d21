// Finding things by how their IDs begin, and by what their names contain.
import { compareText, quote, type Service, SteppeError } from "@steppe/model";
import type { FuzzyMatch, QueryMeta, QueryOptions, SearchDefinition } from "@steppe/proto";
import type { StateView, TableName } from "@steppe/state";
import { inNamespace, type Reader } from "./read.ts";
import { policiesOf } from "./scaling.ts";

/** Matches told of one context; more are cut off, and told to be. */
const MATCHES_MAX = 20;
/** A fuzzy search for less finds nearly everything. */
const FUZZY_LENGTH_MIN = 2;

/** Contexts that a prefix is looked for in; volumes and plugins never have anything. */
const CONTEXTS = [
  ...["allocs", "deployment", "evals", "jobs", "namespaces", "node_pools", "nodes", "plugins", "scaling_policy"],
  ...["vars", "volumes", "host_volumes"],
] as const;
type Context = (typeof CONTEXTS)[number];

/** Contexts that a fuzzy search adds below jobs. */
const FUZZY_CONTEXTS: readonly string[] = [
  ...["jobs", "groups", "services", "tasks", "images", "commands", "classes"],
  ...[
    "evals",
    "deployment",
    "scaling_policy",
    "allocs",
    "nodes",
    "node_pools",
    "plugins",
    "namespaces",
    "vars",
    "volumes",
    "host_volumes",
  ],
];

/** Things that have no name but an ID: a fuzzy search looks how that begins. */
const BY_PREFIX = ["evals", "deployment", "scaling_policy"] as const;

export function createSearch(reader: Reader): Service<SearchDefinition> {
  return {
    async prefix({ Query, Text, Context }, call) {
      const contexts = contextsOf(Context, CONTEXTS);
      const { value, meta } = await read(reader, Query, call, contexts, (view) =>
        prefixSearch(view, Query, Text, contexts),
      );
      return { Matches: value.matches, Truncations: value.truncations, Meta: meta };
    },

    async fuzzy({ Query, Text, Context }, call) {
      if (Text.length < FUZZY_LENGTH_MIN) {
        throw new SteppeError(
          "refused",
          `fuzzy search query must be at least ${FUZZY_LENGTH_MIN} characters, got ${Text.length}`,
        );
      }
      const contexts = contextsOf(Context, FUZZY_CONTEXTS);
      const { value, meta } = await read(reader, Query, call, contexts, (view) =>
        fuzzySearch(view, Query, Text, contexts),
      );
      return { Matches: value.matches, Truncations: value.truncations, Meta: meta };
    },
  };
}

function contextsOf<C extends string>(asked: string, known: readonly C[]): readonly C[] {
  if (asked === "" || asked === "all") return known;
  const found = known.find((context) => context === asked);
  if (found === undefined)
    throw new SteppeError("invalid", `${quote(asked)} is not a search context; want one of all, ${known.join(", ")}`);
  return [found];
}

/** A search blocks, like any read; it waits for the tables that it looks at. */
async function read<T>(
  reader: Reader,
  query: QueryOptions | undefined,
  call: Parameters<Reader["read"]>[1],
  contexts: readonly string[],
  find: (view: StateView) => T,
): Promise<{ value: T; meta: QueryMeta }> {
  const tables = new Set(contexts.flatMap((context) => TABLE_OF[context] ?? []));
  const keys = [...tables].map((id) => ({ kind: "table", id }) as const);
  return await reader.read(query, call, keys, (view) => {
    const index = Math.max(0, ...[...tables].map((table) => view.indexes.changedAt(table)));
    return { changedAt: index, index, value: find(view) };
  });
}

/** Where the things of a context are; those that are never there are in none. */
const TABLE_OF: Readonly<Record<string, TableName>> = {
  allocs: "allocations",
  deployment: "deployments",
  evals: "evaluations",
  namespaces: "namespaces",
  node_pools: "node-pools",
  nodes: "nodes",
  classes: "nodes",
  vars: "variables",
  ...{ jobs: "jobs", groups: "jobs", services: "jobs", tasks: "jobs", images: "jobs", commands: "jobs" },
  scaling_policy: "jobs",
};

function prefixSearch(view: StateView, query: QueryOptions | undefined, prefix: string, contexts: readonly Context[]) {
  const matches: Record<string, { Values: string[] }> = {};
  const truncations: Record<string, boolean> = {};
  for (const context of contexts) {
    const found = new FirstMatches<string>(compareText);
    for (const id of idsOf(view, query, context)) if (id.startsWith(prefix)) found.add(id);
    const { items, cut } = found.take();
    truncations[context] = cut;
    if (items.length > 0) matches[context] = { Values: items };
  }
  return { matches, truncations };
}

function* idsOf(view: StateView, query: QueryOptions | undefined, context: Context): Generator<string> {
  const wanted = inNamespace(query);
  switch (context) {
    case "jobs":
      for (const { job } of view.jobs.byKey.values()) if (wanted(job.Namespace)) yield job.ID;
      return;
    case "evals":
      for (const it of view.evaluations.byId.values()) if (wanted(it.Namespace)) yield it.ID;
      return;
    case "allocs":
      for (const it of view.allocations.byId.values()) if (wanted(it.Namespace)) yield it.ID;
      return;
    case "deployment":
      for (const { deployment } of view.deployments.byId.values())
        if (wanted(deployment.Namespace)) yield deployment.ID;
      return;
    case "nodes":
      yield* view.nodes.slotOf.keys();
      return;
    case "node_pools":
      yield* view.nodePools.byName.keys();
      return;
    case "namespaces":
      for (const name of view.namespaces.byName.keys()) if (wanted(name)) yield name;
      return;
    case "scaling_policy":
      for (const { ID, Namespace } of policiesOf(view)) if (wanted(Namespace)) yield ID;
      return;
    case "vars":
      for (const it of view.variables.byKey.values()) if (wanted(it.Namespace)) yield it.Path;
      return;
    default:
  }
}

/** Keeps the first so many matches in order: a short prefix may match a million of things. */
class FirstMatches<T> {
  readonly #compare: (a: T, b: T) => number;
  #items: T[] = [];
  /** Nothing behind it is among the first; undefined while all are. */
  #last: T | undefined;
  #cut = false;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  add(item: T): void {
    if (this.#last !== undefined && this.#compare(item, this.#last) > 0) return;
    if (this.#items.push(item) >= KEPT_MAX) this.#trim();
  }

  take(): { items: T[]; cut: boolean } {
    this.#trim();
    return { items: this.#items, cut: this.#cut };
  }

  #trim(): void {
    this.#items.sort(this.#compare);
    if (this.#items.length <= MATCHES_MAX) return;
    this.#items.length = MATCHES_MAX;
    this.#last = this.#items.at(-1);
    this.#cut = true;
  }
}

/** Sorted seldom, so that a match costs little. */
const KEPT_MAX = 1_000;

interface Found {
  readonly match: FuzzyMatch;
  /** Where in the name the text was found: earlier is better. */
  readonly at: number;
}

/** The text anywhere in a name, in any case; what begins with it comes first, shorter names before longer ones. */
function fuzzySearch(view: StateView, query: QueryOptions | undefined, text: string, contexts: readonly string[]) {
  const found = new Map<string, FirstMatches<Found>>();
  const lower = text.toLowerCase();
  const look = (context: string, ID: string, Scope: readonly string[]) => {
    const at = contexts.includes(context) ? ID.toLowerCase().indexOf(lower) : -1;
    if (at < 0) return;
    const list = found.get(context) ?? new FirstMatches<Found>(better);
    found.set(context, list);
    list.add({ match: { ID, Scope: [...Scope] }, at });
  };
  lookAtObjects(view, query, look);
  for (const context of ["vars", "node_pools"] as const) {
    if (contexts.includes(context)) for (const id of idsOf(view, query, context)) look(context, id, []);
  }
  for (const context of BY_PREFIX) {
    if (!contexts.includes(context)) continue;
    for (const id of idsOf(view, query, context)) if (id.startsWith(lower)) look(context, id, []);
  }
  const matches: Record<string, { Values: FuzzyMatch[] }> = {};
  const truncations: Record<string, boolean> = {};
  for (const context of contexts) {
    const { items, cut } = found.get(context)?.take() ?? { items: [], cut: false };
    truncations[context] = cut;
    if (items.length > 0) matches[context] = { Values: items.map(({ match }) => match) };
  }
  return { matches, truncations };
}

type Look = (context: string, name: string, scope: readonly string[]) => void;

function lookAtObjects(view: StateView, query: QueryOptions | undefined, look: Look): void {
  const wanted = inNamespace(query);
  for (const name of view.namespaces.byName.keys()) if (wanted(name)) look("namespaces", name, []);
  for (const node of view.nodes.nodes) {
    if (node === undefined) continue;
    look("nodes", node.Name, [node.ID]);
    if (node.NodeClass !== "") look("classes", node.NodeClass, [node.ID]);
  }
  for (const it of view.allocations.byId.values())
    if (wanted(it.Namespace)) look("allocs", it.Name, [it.Namespace, it.ID]);
  for (const { job } of view.jobs.byKey.values()) {
    if (!wanted(job.Namespace)) continue;
    const scope = [job.Namespace, job.ID];
    look("jobs", job.Name, scope);
    for (const group of job.TaskGroups) {
      look("groups", group.Name, scope);
      for (const service of group.Services) look("services", service.Name, [...scope, group.Name]);
      for (const task of group.Tasks) {
        look("tasks", task.Name, [...scope, group.Name]);
        const inTask = [...scope, group.Name, task.Name];
        for (const service of task.Services) look("services", service.Name, inTask);
        for (const [context, key] of TASK_CONFIG) {
          const value = (task.Config as Record<string, unknown> | undefined)?.[key];
          if (typeof value === "string") look(context, value, inTask);
        }
      }
    }
  }
}

const TASK_CONFIG = [
  ["images", "image"],
  ["commands", "command"],
] as const;

function better(a: Found, b: Found): number {
  return a.at - b.at || a.match.ID.length - b.match.ID.length || compareText(a.match.ID, b.match.ID);
}
