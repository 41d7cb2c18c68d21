import FindMyWay, { type HTTPVersion, type Instance } from "find-my-way";
import type { Resource } from "./resource.ts";
import { isPrefix, type Routed, RouteTable } from "./route-table.ts";

/** A path in which nothing has to be decoded, up to the query. */
const PLAIN_PATH = /^\/[\w\-.~!$&'()*+,=:@/]*(?=\?|$)/;

/**
 * Finds the resource of any URL. Fastify knows one route only, which stands for all: a hundred with seven methods each
 * were a quarter of what a start took. Its own router decodes what the table does not, made when that comes.
 */
export class Router {
  readonly table: RouteTable;
  readonly #resources: readonly Resource[];
  #decoding: Instance<HTTPVersion.V1> | undefined;

  constructor(resources: readonly Resource[]) {
    this.#resources = resources;
    this.table = new RouteTable(resources);
  }

  find(url: string): Routed | undefined {
    const plain = PLAIN_PATH.exec(url);
    if (plain !== null) return this.table.find(plain[0]);
    this.#decoding ??= decoding(this.#resources);
    const found = this.#decoding.find("GET", url);
    return found === null ? undefined : { resource: found.store as Resource, rest: found.params["*"] ?? "" };
  }
}

function decoding(resources: readonly Resource[]): Instance<HTTPVersion.V1> {
  const router = FindMyWay();
  for (const resource of resources) {
    const path = isPrefix(resource) ? `${resource.path}*` : resource.path;
    router.on("GET", path, () => undefined, resource);
  }
  return router;
}
