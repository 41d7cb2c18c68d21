import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { queryOptions } from "../request/query-options.ts";
import { fixed, type Handler, type Methods, type Resource } from "../resource.ts";

// What there is nothing behind: answered as a peer does that has none of it.

const any = (handler: Handler): Methods => ({ GET: handler, PUT: handler, POST: handler, DELETE: handler });

const below = (path: string, methods: Methods): Resource => ({ path, suffixes: [{ suffix: "", methods }] });

const refuse =
  (code: "invalid" | "not-found" | "refused", text: string): Handler =>
  () => {
    throw new SteppeError(code, text);
  };

const enterprise: Handler = (exchange) => exchange.text(501, "Nomad Enterprise only endpoint");

const aclDisabled = any(refuse("invalid", "ACL support disabled"));

const noVolume = refuse("refused", "volumes are not supported by this version");

/** An empty list, as fresh as any read. */
async function nothing(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  // Asks the region, so that an unknown one is told and the headers are true.
  const { Meta } = await exchange.services(Query.Region).namespaces.list({ Query: { ...Query, Filter: "" } }, exchange);
  exchange.meta(Meta && { ...Meta, NextToken: "" });
  return exchange.json("[]");
}

export const resourcesWithoutBacking: readonly Resource[] = [
  fixed("/v1/volumes", { GET: nothing, PUT: noVolume, POST: noVolume }),
  fixed("/v1/volumes/external", { GET: refuse("refused", "missing plugin ID") }),
  fixed("/v1/volumes/snapshot", any(refuse("refused", "missing plugin ID"))),
  fixed("/v1/volumes/claims", { GET: nothing }),
  below("/v1/volumes/claim/", { DELETE: refuse("not-found", "volume claim not found") }),
  below("/v1/volume/csi/", any(refuse("not-found", "volume not found"))),
  below("/v1/volume/host/", any(refuse("not-found", "volume not found"))),
  fixed("/v1/plugins", { GET: nothing }),
  below("/v1/plugin/csi/", { GET: refuse("not-found", "plugin not found") }),
  ...["bootstrap", "policies", "tokens", "token", "roles", "role", "auth-methods", "auth-method", "login"].map((name) =>
    fixed(`/v1/acl/${name}`, aclDisabled),
  ),
  ...["binding-rules", "binding-rule"].map((name) => fixed(`/v1/acl/${name}`, aclDisabled)),
  ...["policy", "token", "role", "auth-method", "binding-rule", "oidc", "identity"].map((name) =>
    below(`/v1/acl/${name}/`, aclDisabled),
  ),
  ...["sentinel/policies", "quotas", "quota", "quota-usages", "recommendation", "recommendations"].map((name) =>
    fixed(`/v1/${name}`, any(enterprise)),
  ),
  fixed("/v1/recommendations/apply", any(enterprise)),
  ...["sentinel/policy", "quota", "recommendation"].map((name) => below(`/v1/${name}/`, any(enterprise))),
];
