import { SteppeError } from "@steppe/model";
import type { ServiceRegistrationsResponse, ServiceStub } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { Payload } from "../reply/payload.ts";
import { queryOptions } from "../request/query-options.ts";
import { bareWrite } from "../request/write-body.ts";
import { fixed, type Resource } from "../resource.ts";

export const serviceResources: readonly Resource[] = [
  fixed("/v1/services", { GET: list }),
  { path: "/v1/service/", suffixes: [{ suffix: "", methods: { GET: registrations, DELETE: deregister } }] },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { services } = exchange.services(Query.Region);
  const { Services, Meta } = await services.list({ Query }, exchange);
  exchange.meta(Meta);
  return exchange.json(JSON.stringify(byNamespace(Services)));
}

/** The API lists namespaces, and in each its services. */
function byNamespace(stubs: readonly ServiceStub[]): object[] {
  const namespaces = new Map<string, object[]>();
  for (const { Namespace, ServiceName, Tags } of stubs) {
    namespaces.set(Namespace, [...(namespaces.get(Namespace) ?? []), { ServiceName, Tags }]);
  }
  return [...namespaces].map(([Namespace, Services]) => ({ Namespace, Services }));
}

export async function servicesOfJob(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { services } = exchange.services(Query.Region);
  return answerOwned(exchange, await services.ofJob({ Query, JobID: id }, exchange), "job not found");
}

export async function servicesOfAllocation(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { services } = exchange.services(Query.Region);
  return answerOwned(exchange, await services.ofAllocation({ Query, AllocID: id }, exchange), "alloc not found");
}

function answerOwned(
  exchange: Exchange,
  { Registrations, Meta, Found }: ServiceRegistrationsResponse,
  absent: string,
): void | Promise<void> {
  exchange.meta(Meta);
  if (!Found) throw new SteppeError("not-found", absent);
  return exchange.list("ServiceRegistration", Registrations);
}

async function registrations(exchange: Exchange, name: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { services } = exchange.services(Query.Region);
  const request = { Query, ServiceName: name, Choose: exchange.params.choose ?? "" };
  const { Registrations, Meta } = await services.get(request, exchange);
  exchange.meta(Meta);
  return exchange.list("ServiceRegistration", Registrations);
}

/** `/v1/service/<name>/<id>`: the ID says it all. */
async function deregister(exchange: Exchange, rest: string): Promise<void> {
  const slash = rest.indexOf("/");
  const ID = slash < 0 ? "" : rest.slice(slash + 1);
  if (ID === "") throw new SteppeError("invalid", "missing service name or ID: /v1/service/<name>/<id>");
  const { region, Write } = bareWrite(exchange);
  const { Index } = await exchange.services(region).services.deregister({ Write, ID }, exchange);
  exchange.header("X-Nomad-Index", String(Index));
  return exchange.send(200, "application/json", new Payload(""));
}
