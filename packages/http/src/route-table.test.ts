import fc from "fast-check";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { isPrefix, RouteTable } from "./route-table.ts";
import { ROUTES } from "./routes.ts";

test("any path, is found as the app's router finds it", async () => {
  const app = Fastify({ routerOptions: { maxParamLength: 10_000 } });
  for (const resource of ROUTES) {
    app.get(isPrefix(resource) ? `${resource.path}*` : resource.path, (request) => ({
      path: resource.path,
      rest: (request.params as { "*"?: string })["*"] ?? "",
    }));
  }
  const table = new RouteTable(ROUTES);
  const words = [...new Set(ROUTES.flatMap(({ path }) => path.split("/"))), "x"];
  const path = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 6 }).map((parts) => `/${parts.join("/")}`),
    fc
      .tuple(fc.constantFrom(...ROUTES), fc.constantFrom("", "x", "/", "x/y", "/x/allocations"))
      .map(([resource, rest]) => resource.path + rest),
  );
  await fc.assert(
    fc.asyncProperty(path, async (url) => {
      const reply = await app.inject({ method: "GET", url });
      const found = table.find(url);
      expect(found && { path: found.resource.path, rest: found.rest }).toEqual(
        reply.statusCode === 200 ? reply.json() : undefined,
      );
    }),
    { numRuns: 2000 },
  );
});
