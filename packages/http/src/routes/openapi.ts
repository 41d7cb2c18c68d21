import { openApiDocument } from "../openapi/document.ts";
import { Payload } from "../reply/payload.ts";
import { fixed, type Resource } from "../resource.ts";

/** The description of these routes, made when it is first asked for. */
export function openApiResource(routes: () => readonly Resource[]): Resource {
  let made: Payload | undefined;
  return fixed("/v1/openapi.json", {
    GET: (exchange) => {
      made ??= new Payload(JSON.stringify(openApiDocument(routes(), exchange.needs.controls.version)));
      return exchange.json(made);
    },
  });
}
