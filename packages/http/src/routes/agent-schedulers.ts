import { SteppeError } from "@steppe/model";
import type { Exchange } from "../exchange.ts";
import type { ServerControls } from "../needs.ts";
import { parseObject } from "../request/parse-body.ts";
import { fixed, put, type Resource } from "../resource.ts";

export const agentSchedulerResources: readonly Resource[] = [
  fixed("/v1/agent/schedulers", { GET: schedulers }),
  fixed("/v1/agent/schedulers/config", { GET: configuration, ...put(configure) }),
];

/** What the peer lists for its garbage collection, which here is a duty of the leader and no scheduler. */
const CORE = "_core";

function schedulers(exchange: Exchange): void | Promise<void> {
  const server = serverOf(exchange);
  const { types } = server.schedulers();
  return exchange.json(JSON.stringify({ server_id: server.id, schedulers: [CORE, ...types] }));
}

function configuration(exchange: Exchange): void | Promise<void> {
  return answer(exchange, serverOf(exchange));
}

async function configure(exchange: Exchange): Promise<void> {
  const server = serverOf(exchange);
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const { num_schedulers: count, enabled_schedulers: listed } = parseObject(body);
  if (typeof count !== "number" || !Array.isArray(listed) || !listed.every((it) => typeof it === "string")) {
    throw new SteppeError("invalid", "num_schedulers must be a number and enabled_schedulers a list of names");
  }
  await server.setSchedulers({ count, types: listed.filter((it) => it !== CORE) });
  return answer(exchange, server);
}

function answer(exchange: Exchange, server: ServerControls): void | Promise<void> {
  const { count, types } = server.schedulers();
  const body = { server_id: server.id, num_schedulers: count, enabled_schedulers: [CORE, ...types] };
  return exchange.json(JSON.stringify(body));
}

function serverOf(exchange: Exchange): ServerControls {
  const server = exchange.needs.controls.server();
  if (server === undefined) throw new SteppeError("invalid", "only servers have schedulers");
  return server;
}
