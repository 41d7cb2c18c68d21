import { fromJson, SteppeError, toJson } from "@steppe/model";
import type {
  DeploymentAllocHealthRequest,
  DeploymentPauseRequest,
  DeploymentPromoteRequest,
  DeploymentUpdateResponse,
  DeploymentWriteRequest,
  WriteOptions,
} from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import type { RegionServices } from "../needs.ts";
import { parseObject, stringField } from "../request/parse-body.ts";
import { queryOptions } from "../request/query-options.ts";
import { firstRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { fixed, type Handler, type Resource } from "../resource.ts";
import { answerWrite } from "./write-reply.ts";

/** The action stands before the ID here. */
const action = (name: string, handler: Handler, methods: readonly string[]): Resource => ({
  path: `/v1/deployment/${name}/`,
  suffixes: [{ suffix: "", methods: Object.fromEntries(methods.map((method) => [method, handler])) }],
});

const put = (name: string, handler: Handler): Resource => action(name, handler, ["PUT", "POST"]);

export const deploymentResources: readonly Resource[] = [
  fixed("/v1/deployments", { GET: list }),
  action("allocations", allocations, ["GET"]),
  put("fail", fail),
  put(
    "pause",
    change<DeploymentPauseRequest>("DeploymentPauseRequest", (deployments, request, exchange) =>
      deployments.pause(request, exchange),
    ),
  ),
  put(
    "promote",
    change<DeploymentPromoteRequest>("DeploymentPromoteRequest", (deployments, request, exchange) =>
      deployments.promote(request, exchange),
    ),
  ),
  put(
    "unblock",
    change<DeploymentWriteRequest>("DeploymentWriteRequest", (deployments, request, exchange) =>
      deployments.unblock(request, exchange),
    ),
  ),
  put(
    "allocation-health",
    change<DeploymentAllocHealthRequest>("DeploymentAllocHealthRequest", (deployments, request, exchange) =>
      deployments.setAllocHealth(request, exchange),
    ),
  ),
  { path: "/v1/deployment/", suffixes: [{ suffix: "", methods: { GET: get } }] },
];

async function list(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { Deployments, Meta } = await exchange.services(Query.Region).deployments.list({ Query }, exchange);
  exchange.meta(Meta);
  return exchange.list("Deployment", Deployments);
}

async function get(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { deployments } = exchange.services(Query.Region);
  const { Deployment, Meta } = await deployments.get({ Query, DeploymentID: id }, exchange);
  exchange.meta(Meta);
  if (Deployment === undefined) throw new SteppeError("not-found", "deployment not found");
  return exchange.json(toJson("Deployment", Deployment));
}

async function allocations(exchange: Exchange, id: string): Promise<void> {
  const Query = queryOptions(exchange);
  const { deployments } = exchange.services(Query.Region);
  const { Allocations, Meta } = await deployments.allocations({ Query, DeploymentID: id }, exchange);
  exchange.meta(Meta);
  return exchange.list("AllocListStub", Allocations);
}

/** A body is ignored. */
async function fail(exchange: Exchange, id: string): Promise<void> {
  const { needs, params } = exchange;
  const region = firstRegion(needs, params.region ?? "");
  const Write = writeOptions(exchange, { region, namespace: params.namespace ?? "", secret: "" });
  return answer(exchange, await exchange.services(region).deployments.fail({ Write, DeploymentID: id }, exchange));
}

type Deployments = RegionServices["deployments"];

interface ChangeRequest {
  readonly Write: WriteOptions | undefined;
  readonly DeploymentID: string;
}

/** A change that a body describes; its ID must be the path's. `message`: the request's, whose fields the body has. */
function change<T extends ChangeRequest>(
  message: string,
  send: (deployments: Deployments, request: T, exchange: Exchange) => Promise<DeploymentUpdateResponse>,
): Handler {
  return async (exchange, id) => {
    const body = await exchange.body();
    if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
    const fields = parseObject(body);
    const request = fromJson<T>(message, fields, message);
    if (request.DeploymentID === "") throw new SteppeError("invalid", "DeploymentID must be specified");
    if (request.DeploymentID !== id) throw new SteppeError("invalid", "Deployment ID does not match");
    const { needs, params } = exchange;
    const region = firstRegion(needs, params.region ?? "", stringField(message, fields, "Region"));
    const namespace = params.namespace || stringField(message, fields, "Namespace");
    const secret = stringField(message, fields, "SecretID");
    const Write = writeOptions(exchange, { region, namespace, secret });
    return answer(exchange, await send(exchange.services(region).deployments, { ...request, Write }, exchange));
  };
}

function answer(exchange: Exchange, reply: DeploymentUpdateResponse): void | Promise<void> {
  const { EvalID, EvalCreateIndex, DeploymentModifyIndex, RevertedJobVersion = null, Index } = reply;
  return answerWrite(exchange, Index, { EvalID, EvalCreateIndex, DeploymentModifyIndex, RevertedJobVersion, Index });
}
