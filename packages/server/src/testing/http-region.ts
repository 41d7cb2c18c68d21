// One region in this process, without ports: a log in memory, the real state, services and HTTP API.
import { buildApp, type FastifyInstance } from "@steppe/http";
import { type Logger, toJson } from "@steppe/model";
import type { Command, Job, Outcome } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { createParseJob } from "../parse-job.ts";
import { type LocalRegion, openLocalRegion } from "./local-region.ts";

type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface HttpRegion extends LocalRegion {
  /** Writes a command; a refusal rejects. */
  run(kind: NonNullable<Command["Kind"]>): Promise<Outcome>;
  /** Sends a request to the HTTP API. `body` goes as JSON. */
  call(method: Method, url: string, body?: object, headers?: Record<string, string>): Promise<HttpAnswer>;
  /** Registers a job through the HTTP API. */
  register(job: Job): Promise<HttpAnswer>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are the API's JSON; tests look at what they need
  readonly json: any;
  readonly headers: Readonly<Record<string, unknown>>;
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

/** The region is called `global`. No leader duties run: nothing is scheduled. */
export async function openHttpRegion(): Promise<HttpRegion> {
  const region = await openLocalRegion(SILENT);
  const { config, services, writer } = region;
  const app = buildApp({
    ...{ region: config.region, name: "server.global", datacenter: "dc1" },
    ...{ route: () => services, regions: () => [config.region], members: () => [] },
    agent: {
      self: () => ({}),
      health: () => ({}),
      metrics: () => ({ Timestamp: "", Gauges: [], Points: [], Counters: [], Samples: [] }),
    },
    parseJob: createParseJob(createClock(), createRandom()),
    ...{ nodeId: () => "", clock: createClock(), logger: SILENT },
  });
  return {
    ...region,
    run: (kind) => writer.write(undefined, { signal: new AbortController().signal, timeoutMs: 10_000 }, kind),
    call: (method, url, body, headers) => send(app, method, url, body && JSON.stringify(body), headers),
    register: (job) => send(app, "PUT", "/v1/jobs", `{"Job":${toJson("Job", job)}}`),
    async close() {
      await app.close();
      await region.close();
    },
  };
}

async function send(
  app: FastifyInstance,
  method: Method,
  url: string,
  payload: string | undefined,
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  const reply = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  const isJson = reply.headers["content-type"] === "application/json" && reply.body !== "";
  const json = isJson ? reply.json() : undefined;
  return { status: reply.statusCode, text: reply.body, json, headers: reply.headers };
}
