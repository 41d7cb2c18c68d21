import type { Exchange } from "./exchange.ts";

/** Answers one request. `id` is what stands in the path where the table has a gap; empty for fixed paths. */
export type Handler = (exchange: Exchange, id: string) => void | Promise<void>;

/** GET stands for HEAD as well. */
export type Methods = { readonly [method in "GET" | "PUT" | "POST" | "DELETE"]?: Handler };

/** A fixed path, or a path ending in `/` followed by an ID and one of the suffixes. */
export interface Resource {
  readonly path: string;
  /** First match wins; the empty suffix matches anything, so it comes last. */
  readonly suffixes: readonly SuffixRow[];
}

export interface SuffixRow {
  readonly suffix: string;
  readonly methods: Methods;
}

export function fixed(path: string, methods: Methods): Resource {
  return { path, suffixes: [{ suffix: "", methods }] };
}

/** What answers PUT answers POST alike. */
export const put = (handler: Handler): Methods => ({ PUT: handler, POST: handler });

/**
 * What answers the decoded rest of a path. IDs may hold slashes, so a row is found by how the rest
 * ends, not by counting parts; an ID that itself ends in a suffix cannot be reached, as in the API.
 */
export function findRow(resource: Resource, rest: string): { methods: Methods | undefined; id: string } {
  for (const { suffix, methods } of resource.suffixes) {
    if (rest.endsWith(suffix)) return { methods, id: rest.slice(0, rest.length - suffix.length) };
  }
  return { methods: undefined, id: rest };
}
