// One region in this process, without ports: a log in memory, the real state, services and HTTP API.
import { buildApp, type FastifyInstance } from "@steppe/http";
import { NO_AGENT } from "@steppe/http/internal";
import { type Logger, toJson } from "@steppe/model";
import type { Command, Job, Outcome } from "@steppe/proto";
import { createClock, createRandom } from "@steppe/runtime";
import { agentControls } from "../agent-controls.ts";
import { createParseJob } from "../job-files/parse-job.ts";
import { LogTap } from "../log-tap.ts";
import { type LocalRegion, openLocalRegion } from "./local-region.ts";

type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface HttpRegion extends LocalRegion {
  readonly app: FastifyInstance;
  /** What was logged as an error: a failure that nobody foresaw. */
  readonly errors: readonly string[];
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

function recording(errors: string[]): Logger {
  const nothing = () => undefined;
  const error = (fields: object, message: string) => void errors.push(`${message}: ${textOf(fields)}`);
  const logger: Logger = { debug: nothing, info: nothing, warn: nothing, error, child: () => logger };
  return logger;
}

function textOf(fields: object): string {
  const { err, ...rest } = fields as { err?: unknown };
  return `${JSON.stringify(rest)} ${err instanceof Error ? err.stack : String(err)}`;
}

/** The region is called `global`. No leader duties run: nothing is scheduled. */
export async function openHttpRegion(): Promise<HttpRegion> {
  const errors: string[] = [];
  const logger = recording(errors);
  const region = await openLocalRegion(logger);
  const { config, services, writer } = region;
  const app = buildApp({
    ...{ region: config.region, name: "server.global", datacenter: "dc1" },
    ...{
      route: () => services,
      regions: () => [config.region],
      members: () => [],
      learnMembers: async () => undefined,
    },
    agent: NO_AGENT,
    parseJob: createParseJob(createClock(), createRandom()),
    controls: agentControls({
      ...{ config, clock: createClock(), tap: new LogTap(createClock()), reload: async () => undefined },
      ...{ server: () => undefined, client: () => undefined },
    }),
    ...{ nodeId: () => "", clock: createClock(), logger },
  });
  return {
    ...region,
    app,
    errors,
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
