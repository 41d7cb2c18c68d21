import fc from "fast-check";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { isPrefix } from "./route-table.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";

test("any URL, encoded or not, is found as fastify finds it with a route for each resource", async () => {
  const app = Fastify({ routerOptions: { maxParamLength: 10_000 } });
  for (const resource of ROUTES) {
    app.get(isPrefix(resource) ? `${resource.path}*` : resource.path, (request) => ({
      path: resource.path,
      rest: (request.params as { "*"?: string })["*"] ?? "",
    }));
  }
  const router = new Router(ROUTES);
  const odd = ["%2F", "a%20b", "%25", "%252F", "%6Aobs", "v%31", ";x", "é", "%C3%A9", "x", "", "a%2Fallocations"];
  const words = [...new Set(ROUTES.flatMap(({ path }) => path.split("/"))), ...odd];
  const path = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 6 }).map((parts) => `/${parts.join("/")}`),
    fc.tuple(fc.constantFrom(...ROUTES), fc.constantFrom(...odd)).map(([resource, rest]) => resource.path + rest),
  );
  const query = fc.constantFrom("", "?", "?region=a", "?prefix=%2F&x=/v1/jobs", "#x");
  await fc.assert(
    fc.asyncProperty(path, query, async (before, after) => {
      const reply = await app.inject({ method: "GET", url: before + after });
      // As it came over: what injects requests encodes what a client would.
      const found = router.find(reply.raw.req.url ?? "");
      expect(found && { path: found.resource.path, rest: found.rest }).toEqual(
        reply.statusCode === 200 ? reply.json() : undefined,
      );
    }),
    { numRuns: 2000 },
  );
});
