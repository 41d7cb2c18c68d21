import type { Resource } from "./resource.ts";

export interface Routed {
  readonly resource: Resource;
  /** What follows a resource's path that ends in `/`. */
  readonly rest: string;
}

/** Finds the resource of a path in which nothing has to be decoded, as the app's router does. */
export class RouteTable {
  readonly #fixed: Map<string, Routed> = new Map();
  readonly #prefixes: Map<string, Resource> = new Map();
  #depth = 0;

  constructor(resources: readonly Resource[]) {
    for (const resource of resources) {
      const { path } = resource;
      if (!isPrefix(resource)) this.#fixed.set(path, { resource, rest: "" });
      else {
        this.#prefixes.set(path, resource);
        this.#depth = Math.max(this.#depth, path.split("/").length - 1);
      }
    }
  }

  /** The longest that fits. */
  find(path: string): Routed | undefined {
    const fixed = this.#fixed.get(path);
    if (fixed !== undefined) return fixed;
    let found: Routed | undefined;
    let slash = path.indexOf("/", 1);
    for (let depth = 2; slash > 0 && depth <= this.#depth; depth++) {
      const resource = this.#prefixes.get(path.slice(0, slash + 1));
      if (resource !== undefined) found = { resource, rest: path.slice(slash + 1) };
      slash = path.indexOf("/", slash + 1);
    }
    return found;
  }
}

/** Whether an ID follows its path. */
export function isPrefix({ path }: Resource): boolean {
  return path !== "/" && path.endsWith("/");
}
