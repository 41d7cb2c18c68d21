import { StatusRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { resolveRegion } from "../request/region.ts";
import { fixed, type Resource } from "../resource.ts";

export const statusResources: readonly Resource[] = [
  fixed("/", { GET: (exchange) => exchange.redirect(307, "/ui/") }),
  fixed("/v1/regions", { GET: regions }),
  fixed("/v1/status/leader", { GET: leader }),
  fixed("/v1/status/peers", { GET: peers }),
];

async function regions(exchange: Exchange): Promise<void> {
  const { needs } = exchange;
  await needs.learnMembers(exchange);
  return exchange.json(JSON.stringify(needs.regions().toSorted()));
}

async function leader(exchange: Exchange): Promise<void> {
  const request = statusRequest(exchange);
  const { Address } = await exchange.services(request.Region).status.leader(request, exchange);
  return exchange.json(JSON.stringify(Address));
}

async function peers(exchange: Exchange): Promise<void> {
  const request = statusRequest(exchange);
  const { Addresses } = await exchange.services(request.Region).status.peers(request, exchange);
  return exchange.json(JSON.stringify(Addresses));
}

function statusRequest(exchange: Exchange): StatusRequest {
  return StatusRequest.create({ Region: resolveRegion(exchange.needs, exchange.params.region ?? "") });
}
