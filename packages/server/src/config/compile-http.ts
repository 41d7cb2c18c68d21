import type { Checks } from "./checks.ts";
import type { CorsConfig, HttpConfig } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { FileOptions } from "./options.ts";

// What HTTP allows in a header's name, and what cannot be split into two headers.
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

export function compileHttp(options: FileOptions, connsPerClientMax: number, checks: Checks): HttpConfig {
  const max = options.limits?.http_max_conns_per_client ?? connsPerClientMax;
  return {
    responseHeaders: responseHeaders(options, checks),
    connsPerClientMax: checks.atLeast("limits.http_max_conns_per_client", max, 0),
    cors: cors(options.cors, checks),
  };
}

function responseHeaders(options: FileOptions, checks: Checks): Readonly<Record<string, string>> {
  const headers = options.http_api_response_headers ?? {};
  for (const [name, value] of Object.entries(headers)) {
    if (HEADER_NAME.test(name) && HEADER_VALUE.test(value)) continue;
    checks.refuse(`http_api_response_headers.${name}`, `is no HTTP header: ${JSON.stringify(`${name}: ${value}`)}`);
  }
  return headers;
}

function cors(options: FileOptions["cors"], checks: Checks): CorsConfig | undefined {
  if (options === undefined) return undefined;
  const allowedOrigins = options.allowed_origins ?? [];
  if (allowedOrigins.length === 0) checks.refuse("cors", 'needs allowed_origins, such as ["https://ui.example.com"]');
  const bad = allowedOrigins.find((origin) => origin !== "*" && !/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/i.test(origin));
  if (bad !== undefined) {
    checks.refuse("cors.allowed_origins", `must be scheme://host or scheme://host:port, not ${JSON.stringify(bad)}`);
  }
  const allowCredentials = options.allow_credentials ?? false;
  if (allowCredentials && allowedOrigins.includes("*")) {
    checks.refuse("cors.allow_credentials", 'needs the origins by name: browsers refuse it together with "*"');
  }
  return {
    allowedOrigins,
    allowedHeaders: options.allowed_headers ?? [],
    allowCredentials,
    maxAgeMs: checks.durationMs("cors.max_age", options.max_age ?? DEFAULTS.corsMaxAgeMs, 0),
  };
}
