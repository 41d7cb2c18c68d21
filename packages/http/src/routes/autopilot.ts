import { formatDuration, formatTime, parseDuration, SteppeError } from "@steppe/model";
import { AutopilotConfiguration, type LogReplica, type Member, StatusRequest } from "@steppe/proto";
import type { Exchange } from "../exchange.ts";
import { boolField, parseObject } from "../request/parse-body.ts";
import { queryOptions } from "../request/query-options.ts";
import { resolveRegion } from "../request/region.ts";
import { writeOptions } from "../request/write-options.ts";
import { fixed, type Resource } from "../resource.ts";
import { casOf } from "./operator.ts";

export const autopilotResources: readonly Resource[] = [
  fixed("/v1/operator/autopilot/configuration", { GET: get, PUT: set }),
  fixed("/v1/operator/autopilot/health", { GET: health }),
];

const MESSAGE = "AutopilotConfiguration";

async function get(exchange: Exchange): Promise<void> {
  const Query = queryOptions(exchange);
  const { operator } = exchange.services(Query.Region);
  const { Config, Meta } = await operator.getAutopilotConfiguration({ Query }, exchange);
  exchange.meta(Meta);
  const config = Config ?? AutopilotConfiguration.create();
  const times = {
    LastContactThreshold: formatDuration(config.LastContactThreshold),
    ServerStabilizationTime: formatDuration(config.ServerStabilizationTime),
  };
  return exchange.json(JSON.stringify({ ...config, ...times }));
}

/** With `?cas=` only where its ModifyIndex is that number; the answer says whether it was. */
async function set(exchange: Exchange): Promise<void> {
  const body = await exchange.body();
  if (body.length === 0) throw new SteppeError("invalid", "Request body is empty");
  const Config = configOf(parseObject(body));
  const { params, needs } = exchange;
  const region = resolveRegion(needs, params.region ?? "");
  const Write = writeOptions(exchange, { region, namespace: "", secret: "" });
  const request = { Write, Config, CheckIndex: params.cas !== undefined, ModifyIndex: casOf(params.cas) };
  const { Updated, Index } = await exchange.services(region).operator.setAutopilotConfiguration(request, exchange);
  exchange.header("X-Nomad-Index", String(Index));
  return exchange.json(JSON.stringify(Updated));
}

type Fields = Readonly<Record<string, unknown>>;

function configOf(fields: Fields): AutopilotConfiguration {
  return {
    ...AutopilotConfiguration.create(),
    CleanupDeadServers: boolField(MESSAGE, fields, "CleanupDeadServers"),
    LastContactThreshold: durationField(fields, "LastContactThreshold"),
    MaxTrailingLogs: countField(fields, "MaxTrailingLogs"),
    MinQuorum: countField(fields, "MinQuorum"),
    ServerStabilizationTime: durationField(fields, "ServerStabilizationTime"),
    EnableRedundancyZones: boolField(MESSAGE, fields, "EnableRedundancyZones"),
    DisableUpgradeMigration: boolField(MESSAGE, fields, "DisableUpgradeMigration"),
    EnableCustomUpgrades: boolField(MESSAGE, fields, "EnableCustomUpgrades"),
  };
}

/** Nanoseconds, or a Go string. */
function durationField(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  const duration = typeof value === "string" ? parseDuration(value) : value;
  if (typeof duration === "number" && Number.isSafeInteger(duration) && duration >= 0) return duration;
  throw new SteppeError("invalid", `Error parsing autopilot config: ${name} must be a duration such as "10s"`);
}

function countField(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw new SteppeError("invalid", `Error parsing autopilot config: ${name} must be a whole number`);
}

/** 429 when a server or a replica of the log is not well, with the same body. A server is well while the others hear of it. */
async function health(exchange: Exchange): Promise<void> {
  const { params, needs } = exchange;
  const region = resolveRegion(needs, params.region ?? "");
  const request = StatusRequest.create({ Region: region });
  const leader = (await exchange.services(region).status.leader(request, exchange)).Address;
  const { operator } = exchange.services(region);
  const Query = { ...queryOptions(exchange), Region: region, AllowStale: true };
  const [{ Replicas }, { Config }] = await Promise.all([
    operator.log({ Query }, exchange),
    operator.getAutopilotConfiguration({ Query }, exchange),
  ]);
  const config = Config ?? AutopilotConfiguration.create();
  const current = Replicas.filter((replica) => isCurrent(replica, config)).length;
  // Most of the log's replicas must be there for a write to be taken.
  const spareReplicas = current - (Math.floor(Replicas.length / 2) + 1);
  await needs.learnMembers(exchange);
  const members = needs.members().filter((it) => it.Region === (region || needs.region) && it.Status !== "left");
  const Servers = members.map((member) => serverHealth(member, leader));
  const well = Servers.filter(({ Healthy }) => Healthy).length;
  const Healthy = well === Servers.length && current === Replicas.length && leader !== "";
  const body = {
    Healthy,
    // Any one server that is well does all the work there is, as long as the log takes writes.
    FailureTolerance: Math.max(0, Math.min(well - 1, Replicas.length > 1 ? spareReplicas : well - 1)),
    Leader: Servers.find((it) => it.Leader)?.ID ?? "",
    Voters: Servers.map(({ ID }) => ID),
    Servers,
    ReadReplicas: null,
    RedundancyZones: null,
    LogReplicas: Replicas.map((replica) => ({ ...replica, Healthy: isCurrent(replica, config) })),
  };
  return exchange.jsonWith(Healthy ? 200 : 429, JSON.stringify(body));
}

/** As autopilot's configuration says how far one may be behind, where it says so. */
function isCurrent({ Offline, Current, Lag, Active }: LogReplica, config: AutopilotConfiguration): boolean {
  const isBehind = config.MaxTrailingLogs > 0 && Lag > config.MaxTrailingLogs;
  const isSilent = config.LastContactThreshold > 0 && Active > Math.max(config.LastContactThreshold, HEARD_EVERY);
  return !Offline && Current && !isBehind && !isSilent;
}

/** How often NATS hears of a replica that has nothing to do; nanoseconds. */
const HEARD_EVERY = 10e9;

function serverHealth(member: Member, leader: string) {
  const Address = `${member.Address}:${member.GrpcPort}`;
  return {
    ...{ ID: member.ID, Name: member.Name, Address, SerfStatus: member.Status, Version: member.Version },
    ...{ Leader: Address === leader, LastContact: "0s", LastTerm: 0, LastIndex: 0 },
    ...{ Healthy: member.Status === "alive", Voter: true, StableSince: formatTime(member.Incarnation) },
  };
}
