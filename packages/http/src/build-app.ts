import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { capConnections } from "./connection-cap.ts";
import { Exchange, type Surroundings } from "./exchange.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { HttpNeeds } from "./needs.ts";
import { type CompleteOptions, completeOptions, type HttpOptions, type HttpTls } from "./options.ts";
import { PlainRequests } from "./plain/plain-requests.ts";
import { type Params, parseParams } from "./request/params.ts";
import { findRow, type Methods, type Resource } from "./resource.ts";
import type { Routed } from "./route-table.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";
import { TerminalCalls } from "./terminal-calls.ts";

// All that reach a handler; a resource that does not know one answers 405.
const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"] as const;

/** The HTTP API over the given services. It never listens; tests use `inject`. */
export function buildApp(needs: HttpNeeds, options: HttpOptions = {}): FastifyInstance {
  const complete = completeOptions(options);
  const around: { -readonly [Key in keyof Surroundings]: Surroundings[Key] } = {
    ...{ needs, options: complete, fixedHeaders: headersOf(complete), lifecycle: new Lifecycle() },
  };
  options.onChange?.((changed) => {
    around.options = completeOptions({ ...options, ...changed });
    around.fixedHeaders = headersOf(around.options);
  });
  const app = createFastify(options.tls);
  const router = new Router(ROUTES);
  // Under TLS what HTTP costs is the lesser part.
  const plain = options.tls === undefined ? plainRequests(app, around, router) : undefined;
  capConnections(app.server, () => around.options.connsPerClientMax, needs.clock, options.tls === undefined);
  // Handlers read bodies themselves: the API looks at no Content-Type, not even a malformed one.
  for (const method of METHODS) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  app.route({
    method: [...METHODS],
    url: "/*",
    handler: (request, reply) => {
      const { url = "", method = "" } = request.raw;
      route(exchangeOf(around, request, reply), router.find(url), method);
    },
  });
  app.setNotFoundHandler((request, reply) => notFound(exchangeOf(around, request, reply)));
  const terminals = new TerminalCalls(needs, around.options);
  app.server.on("upgrade", (request, socket, head) => terminals.upgrade(request, socket, head));
  app.addHook("preClose", async () => {
    terminals.close();
    around.lifecycle.close(needs.clock, around.options.closeGraceMs, () => {
      app.server.closeAllConnections();
      plain?.cut();
    });
    plain?.endIdle();
  });
  app.addHook("onClose", async () => around.lifecycle.closed());
  return app;
}

function headersOf({ responseHeaders }: CompleteOptions): readonly string[] {
  return Object.entries(responseHeaders).flat();
}

function createFastify(tls: HttpTls | undefined): FastifyInstance {
  if (tls === undefined) return Fastify(FASTIFY_OPTIONS);
  const { identity, verifyClient } = tls;
  const secure = { minVersion: identity.minVersion, requestCert: verifyClient, rejectUnauthorized: verifyClient };
  const app = Fastify({ ...FASTIFY_OPTIONS, https: { ...FASTIFY_OPTIONS.http, ...identity.material, ...secure } });
  identity.onReplace((material) => app.server.setSecureContext({ ...material, minVersion: identity.minVersion }));
  // An HTTPS server is an HTTP server in all that is used of it here; fastify's types keep them apart.
  return app as unknown as FastifyInstance;
}

const FASTIFY_OPTIONS = {
  logger: false,
  exposeHeadRoutes: false,
  forceCloseConnections: "idle",
  return503OnClosing: false,
  keepAliveTimeout: 120_000,
  // For receiving a request; none of these limits how long a reply may take, so a blocking query is free of them.
  requestTimeout: 60_000,
  // A request without a body has no stream of one to make and to drain: a fifth of the CPU of a bare GET.
  http: { optimizeEmptyRequests: true },
  // No route has a schema: the compilers and their hundred files are not loaded.
  schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  connectionTimeout: 0,
  routerOptions: { maxParamLength: 16_384, querystringParser: parseParams },
  frameworkErrors: refuseUrl,
  clientErrorHandler: refuseBytes,
} as const;

function noSchemas(): never {
  throw new Error("routes have no schemas");
}

function plainRequests(app: FastifyInstance, around: Surroundings, router: Router): PlainRequests {
  return new PlainRequests(app.server, around.needs.clock, {
    isClosing: () => around.lifecycle.closing,
    serve: (request, reply) => {
      const exchange = new Exchange(around, request, reply, parseParams(request.query));
      route(exchange, router.table.find(request.path), request.method);
    },
  });
}

function route(exchange: Exchange, routed: Routed | undefined, method: string): void {
  if (routed === undefined) void notFound(exchange);
  else void serve(exchange, routed.resource, method, routed.rest);
}

function exchangeOf(around: Surroundings, request: FastifyRequest, reply: FastifyReply): Exchange {
  reply.hijack();
  return new Exchange(around, request.raw, reply.raw, request.query as Params);
}

/** Never rejects. */
async function serve(exchange: Exchange, resource: Resource, method: string, rest: string): Promise<void> {
  const beganMs = exchange.needs.clock.monotonicMs();
  exchange.begin();
  try {
    const { methods, id } = findRow(resource, rest);
    if (methods === undefined) return await notFound(exchange);
    if (method === "OPTIONS") return exchange.options(allowed(methods));
    const name = method === "HEAD" ? "GET" : method;
    const handler = Object.hasOwn(methods, name) ? methods[name as keyof typeof methods] : undefined;
    await (handler === undefined ? exchange.text(405, "Invalid method") : handler(exchange, id));
  } catch (error) {
    await fail(exchange, error);
  } finally {
    exchange.done();
    const { needs, isHeld, status } = exchange;
    if (!isHeld) needs.served?.(resource.path, method, status, needs.clock.monotonicMs() - beganMs);
  }
}

function allowed(methods: Methods): string[] {
  const names = Object.keys(methods);
  return [...names, ...(names.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
}

async function fail(exchange: Exchange, error: unknown): Promise<void> {
  try {
    await exchange.fail(error);
  } catch (another) {
    exchange.abandon(another);
  }
}

function notFound(exchange: Exchange): void | Promise<void> {
  return exchange.text(404, "");
}

/** A path that does not decode, or is too long to be one. */
function refuseUrl(error: Error & { code: string }, _request: FastifyRequest, reply: FastifyReply): void {
  const isBad = error.code === "FST_ERR_BAD_URL";
  reply.hijack();
  plain(reply.raw, isBad ? 400 : 414, isBad ? "Invalid percent-encoding in path" : "Path is too long");
}

function plain(response: ServerResponse<IncomingMessage>, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": text.length });
  response.end(text);
}

/** Bytes that are no HTTP request, or one that did not come in time. */
function refuseBytes(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? "408 Request Timeout"
      : error.code === "HPE_HEADER_OVERFLOW"
        ? "431 Request Header Fields Too Large"
        : "400 Bad Request";
  const head = ["Content-Type: text/plain; charset=utf-8", `Content-Length: ${status.length}`, "Connection: close"];
  socket.end(`HTTP/1.1 ${status}\r\n${head.join("\r\n")}\r\n\r\n${status}`);
}
