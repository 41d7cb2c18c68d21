import type { JsonSchema } from "./schemas.ts";

/** Query parameters and headers that more than one route takes, by name. */
export const PARAMETERS: Readonly<Record<string, JsonSchema>> = {
  region: query("The region that answers; the agent's own when absent.", { type: "string" }),
  namespace: query('`default` when absent; "*" for all, on lists.', { type: "string" }),
  index: query("Answer when what is asked about has changed after this index.", { type: "integer", minimum: 0 }),
  wait: query("How long to wait at most, as a Go duration: 5m unless given, 10m at most.", { type: "string" }),
  stale: flag("Answer from this server's copy as it is."),
  consistent: flag("Answer behind a no-op entry of the log: linearizable."),
  prefix: query("Only what begins so.", { type: "string" }),
  filter: query("An expression that what is listed must match.", { type: "string" }),
  per_page: query("How many to list; the header X-Nomad-NextToken continues.", { type: "integer" }),
  next_token: query("Where to go on.", { type: "string" }),
  reverse: flag("In the opposite order."),
  pretty: flag("Indented by four."),
  idempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description: "Names the write: a repeat is answered with the first result, and changes nothing.",
    schema: { type: "string", maxLength: 256 },
  },
  token: { name: "X-Nomad-Token", in: "header", description: "Secret ID of an ACL token.", schema: { type: "string" } },
};

/** What every read takes, what lists take beside that, and what every write takes. */
export const READ = ["region", "namespace", "index", "wait", "stale", "consistent", "pretty", "token"];
export const LIST = [...READ, "prefix", "filter", "per_page", "next_token", "reverse"];
export const WRITE = ["region", "namespace", "idempotencyKey", "token"];

/** Of one route: name, type, what it means. */
export function query(description: string, schema: JsonSchema, name = ""): JsonSchema {
  return { name, in: "query", description, schema };
}

function flag(description: string): JsonSchema {
  return { ...query(description, { type: "string" }), allowEmptyValue: true };
}

/** The shared parameters under their names. */
export function components(): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, parameter]) => [name, { ...parameter, name: parameter.name || name }]),
  );
}
