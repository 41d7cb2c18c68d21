import { type Call, type Logger, type Service, type ServiceDefinition, SteppeError } from "@steppe/model";
import {
  AllocationsDefinition,
  ClientCallsDefinition,
  DeploymentsDefinition,
  EvaluationsDefinition,
  EventsDefinition,
  JobRegisterResponse,
  JobsDefinition,
  type Member,
  NamespacesDefinition,
  NodePoolsDefinition,
  NodesDefinition,
  OperatorDefinition,
  QueryMeta,
  ScalingDefinition,
  SearchDefinition,
  ServerCallsDefinition,
  ServiceRegistrationsDefinition,
  StatusDefinition,
  SystemDefinition,
  VariablesDefinition,
} from "@steppe/proto";
import type { FastifyInstance } from "fastify";
import { buildApp } from "./build-app.ts";
import type { HttpNeeds, RegionServices } from "./needs.ts";
import { NO_AGENT } from "./no-agent.ts";
import type { HttpOptions } from "./options.ts";

type Answers = { [name in keyof RegionServices]?: Partial<RegionServices[name]> };

export interface World {
  readonly app: FastifyInstance;
  /** What was sent to services: region, `<service>.<method>`, request. */
  readonly calls: { region: string; method: string; request: unknown; call: Call }[];
  readonly logged: { fields: object; message: string }[];
}

export interface WorldOptions extends HttpOptions {
  /** Services answer so in every region; what is not given fails as a bug would. */
  readonly answers?: Answers;
  /** Regions that exist beside the own one, `us`. */
  readonly others?: readonly string[];
  readonly members?: readonly Member[];
  readonly agent?: Partial<HttpNeeds["agent"]>;
  /** Job files are read so; none is expected when not given. */
  readonly parseJob?: HttpNeeds["parseJob"];
  readonly controls?: Partial<HttpNeeds["controls"]>;
}

/** An app in region `us` over services that record what they are asked. */
export function createWorld({
  answers = {},
  others = [],
  members = [],
  agent = {},
  parseJob = noJobFile,
  controls = {},
  ...options
}: WorldOptions = {}): World {
  const calls: World["calls"] = [];
  const logged: World["logged"] = [];
  const note = (fields: object, message: string) => void logged.push({ fields, message });
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const needs: HttpNeeds = {
    region: "us",
    name: "server-1.us",
    datacenter: "dc1",
    route: (region) => {
      if (region !== "" && !others.includes(region)) throw new SteppeError("no-path-to-region", "No path to region");
      return servicesOf(region, answers, calls);
    },
    regions: () => ["us", ...others],
    members: () => members,
    learnMembers: async () => undefined,
    agent: { ...NO_AGENT, ...agent },
    nodeId: () => "",
    controls: { ...NO_CONTROLS, ...controls },
    clock: { monotonicMs: () => 0, wallNs: () => 0, after: () => new Promise(() => {}) },
    logger,
    parseJob,
  };
  return { app: buildApp(needs, options), calls, logged };
}

function noJobFile(): never {
  throw new Error("no job file was expected");
}

/** Of a process that is neither server nor client. */
export const NO_CONTROLS: HttpNeeds["controls"] = {
  debug: true,
  commandLine: "",
  version: "0.0.0",
  server: () => undefined,
  client: () => undefined,
  host: async () => ({}),
  reload: async () => undefined,
  monitor: async function* () {},
  profile: async () => "{}",
};

function servicesOf(region: string, answers: Answers, calls: World["calls"]): RegionServices {
  const service = <D extends ServiceDefinition>(name: keyof RegionServices, definition: D): Service<D> => {
    const methods: Record<string, unknown> = {};
    for (const method of Object.keys(definition.methods)) {
      const answered = (request: unknown, call: Call) => {
        calls.push({ region, method: `${name}.${method}`, request, call });
        const answer = (answers[name] as Record<string, (request: unknown, call: Call) => unknown>)?.[method];
        if (answer === undefined) throw new Error(`${name}.${method} was not expected`);
        return answer(request, call);
      };
      const isStream = definition.methods[method]?.responseStream === true;
      methods[method] = isStream ? answered : async (request: unknown, call: Call) => answered(request, call);
    }
    return methods as Service<D>;
  };
  return {
    jobs: service("jobs", JobsDefinition),
    deployments: service("deployments", DeploymentsDefinition),
    evaluations: service("evaluations", EvaluationsDefinition),
    events: service("events", EventsDefinition),
    allocations: service("allocations", AllocationsDefinition),
    nodes: service("nodes", NodesDefinition),
    namespaces: service("namespaces", NamespacesDefinition),
    nodePools: service("nodePools", NodePoolsDefinition),
    system: service("system", SystemDefinition),
    variables: service("variables", VariablesDefinition),
    search: service("search", SearchDefinition),
    clientCalls: service("clientCalls", ClientCallsDefinition),
    serverCalls: service("serverCalls", ServerCallsDefinition),
    operator: service("operator", OperatorDefinition),
    scaling: service("scaling", ScalingDefinition),
    services: service("services", ServiceRegistrationsDefinition),
    status: service("status", StatusDefinition),
  };
}

/** Of a leader's answer at index 14. */
export const META = QueryMeta.create({ Index: 14, LastContact: 2_900_000, KnownLeader: true });

export const META_HEADERS = {
  "x-nomad-index": "14",
  "x-nomad-lastcontact": "2",
  "x-nomad-knownleader": "true",
};

export const REGISTERED = JobRegisterResponse.create({
  EvalID: "d092fdc0-e1fd-2536-67d8-43af8ca798ac",
  EvalCreateIndex: 35,
  JobModifyIndex: 34,
  Index: 35,
});
