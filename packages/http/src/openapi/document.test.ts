import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { ROUTES } from "../routes.ts";
import { createWorld } from "../test-world.ts";
import { openApiDocument, routesOf } from "./document.ts";
import { OPERATIONS } from "./operations.ts";

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly operationId: string; readonly summary: string }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const document = openApiDocument(ROUTES, "1.2.3") as Document;
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
);

describe("OpenAPI document", () => {
  test("served, is valid as OpenAPI 3.1", async () => {
    const reply = await createWorld().app.inject("/v1/openapi.json");
    expect(reply.headers["content-type"]).toBe("application/json");
    const { valid, errors } = await new Validator().validate(reply.json());
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  });

  test("every route that is served, is in it, and no other", () => {
    const served = ROUTES.flatMap(routesOf).map(({ method, path }) => `${method} ${path}`);
    expect(described.toSorted()).toEqual([...new Set(served)].sort());
  });

  test("no text is about a route that is not served", () => {
    expect(Object.keys(OPERATIONS).filter((it) => !described.includes(it))).toEqual([]);
  });

  test("routes of jobs and what comes of them, of services and node agents, have a title", () => {
    const mine =
      /^\/v1\/(jobs?|validate|evaluations?|allocations?|deployments?|scaling|services?|client|namespaces?|system)\b/;
    const untitled = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(
        ([method, { summary }]) => mine.test(path) && summary === `${method.toUpperCase()} ${path}`,
      ),
    );
    expect(untitled.map(([, { summary }]) => summary)).toEqual([]);
  });

  test("operation IDs, are not given twice", () => {
    const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map((it) => it.operationId));
    expect(ids.filter((id, n) => ids.indexOf(id) !== n)).toEqual([]);
  });

  test("fields of messages, are the contract's with the kinds that validation asks for", () => {
    expect(document.components.schemas.Job).toMatchObject({
      type: "object",
      properties: {
        ID: { type: "string" },
        Priority: { type: "integer" },
        Datacenters: { type: ["array", "null"], items: { type: "string" } },
        TaskGroups: { type: ["array", "null"], items: { $ref: "#/components/schemas/TaskGroup" } },
        Meta: { type: ["object", "null"], additionalProperties: { type: "string" } },
        Periodic: { anyOf: [{ $ref: "#/components/schemas/PeriodicConfig" }, { type: "null" }] },
      },
    });
  });

  test("the docs page, links it", () => {
    const page = readFileSync(new URL("../../../../docs/compatibility.md", import.meta.url), "utf8");
    expect(page).toContain("/v1/openapi.json");
  });
});
