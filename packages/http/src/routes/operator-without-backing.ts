// Operator routes of the paid edition, which answer as the open one does, and those about what is not there.
import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import { fixed, put, type Resource } from "../resource.ts";

export const operatorResourcesWithoutBacking: readonly Resource[] = [
  fixed("/v1/operator/license", { GET: (exchange) => exchange.noContent(), ...put(refuse) }),
  fixed("/v1/operator/utilization", { GET: refuse, ...put(refuse) }),
  fixed("/v1/operator/upgrade-check/vault-workload-identity", { GET: upgradeCheck }),
  fixed("/v1/operator/keyring/keys", { GET: (exchange) => exchange.json("[]") }),
  fixed("/v1/operator/keyring/rotate", put(noKeyring)),
  { path: "/v1/operator/keyring/key/", suffixes: [{ suffix: "", methods: { DELETE: noKeyring } }] },
];

/** Nothing here signs identities. */
export const identityResources: readonly Resource[] = [
  fixed("/.well-known/jwks.json", { GET: (exchange) => exchange.json('{"keys":[]}') }),
  fixed("/.well-known/openid-configuration", {
    GET: (exchange) => exchange.text(404, "OIDC Discovery endpoint disabled"),
  }),
];

function refuse(): never {
  throw new SteppeError("unserved", "Nomad Enterprise only endpoint");
}

/** Nothing here ever had tokens of the kind that the peer is to be upgraded from. */
function upgradeCheck(exchange: Exchange): void | Promise<void> {
  return exchange.json(JSON.stringify({ JobsWithoutVaultBlock: [], OutdatedNodes: [], VaultTokens: [] }));
}

function noKeyring(): never {
  throw new SteppeError("refused", "there is no keyring: this server encrypts no variables and signs no identities");
}
