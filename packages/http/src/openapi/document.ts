// The OpenAPI document, made of the table of routes itself: what is not served is not in it, and what is served is.
import type { Methods, Resource } from "../resource.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { components, LIST, query, READ, WRITE } from "./parameters.ts";
import { type JsonSchema, reference, schemasOf } from "./schemas.ts";

const DESCRIPTION = `The HTTP API of Steppe, which is that of Nomad. Every route answers OPTIONS, and HEAD where it answers GET.
IDs may hold slashes; they are found by how a path ends. Errors are plain text. Durations in bodies are integers of
nanoseconds unless a field says otherwise.`;

interface Route {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

export function openApiDocument(resources: readonly Resource[], version: string): object {
  const routes = resources.flatMap(routesOf);
  const messages = routes.flatMap(({ operation: { body, answer } }) => [body, answer]).filter((it) => it !== undefined);
  return {
    openapi: "3.1.0",
    info: {
      title: "Steppe",
      version,
      description: DESCRIPTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths: pathsOf(routes),
    components: {
      schemas: schemasOf(new Set(messages)),
      parameters: components(),
      responses: {
        Error: { description: "What is wrong, in words.", content: { "text/plain": { schema: { type: "string" } } } },
      },
    },
  };
}

/** Path and method of each route, as the document writes them. */
export function routesOf({ path, suffixes }: Resource): Route[] {
  const isPrefix = path !== "/" && path.endsWith("/");
  return suffixes.flatMap(({ suffix, methods }) => {
    const template = isPrefix ? `${path}{id}${suffix}` : path;
    return Object.keys(methods).map((method) => ({
      path: template,
      method,
      operation: operationOf(template, method, methods),
    }));
  });
}

function operationOf(path: string, method: string, methods: Methods): Operation {
  const own = OPERATIONS[`${method} ${path}`];
  if (own !== undefined) return own;
  // What answers PUT answers POST alike.
  const twin = method === "POST" && methods.POST === methods.PUT ? OPERATIONS[`PUT ${path}`] : undefined;
  return twin ?? { summary: `${method} ${path}` };
}

function pathsOf(routes: readonly Route[]): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, object>)[route.method.toLowerCase()] = described(route);
  }
  return paths;
}

function described({ path, method, operation }: Route): object {
  const { summary, body, params = {} } = operation;
  const shared = method === "GET" ? (operation.list ? LIST : READ) : WRITE;
  // One of its own means what it says there, and not what it says elsewhere.
  const common = shared.filter((name) => params[name] === undefined);
  return {
    operationId: operationId(method, path),
    summary,
    tags: [path.split("/")[2] ?? "root"],
    parameters: [
      ...(path.includes("{id}") ? [{ name: "id", in: "path", required: true, schema: { type: "string" } }] : []),
      ...common.map((name) => ({ $ref: `#/components/parameters/${name}` })),
      ...Object.entries(params).map(([name, text]) => query(text, { type: "string" }, name)),
    ],
    ...(body !== undefined && { requestBody: { content: { "application/json": { schema: reference(body) } } } }),
    responses: {
      "200": { description: "Done.", ...contentOf(operation) },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

function contentOf({ answer, list }: Operation): object {
  if (answer === undefined) return {};
  const schema: JsonSchema = list ? { type: "array", items: reference(answer) } : reference(answer);
  return { content: { "application/json": { schema } } };
}

function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "" && word !== "v1");
  return [method.toLowerCase(), ...words]
    .map((word, n) => (n === 0 ? word : word[0]?.toUpperCase() + word.slice(1)))
    .join("");
}
