import type { CorsOptions } from "../options.ts";

/** Headers of the API that a page may send and read. */
const SENT = ["Content-Type", "Idempotency-Key", "X-Nomad-Token", "Authorization"];
const READ = ["X-Nomad-Index", "X-Nomad-LastContact", "X-Nomad-KnownLeader", "X-Nomad-NextToken", "Steppe-Outcome"];
const METHODS = "GET, HEAD, PUT, POST, DELETE";

/**
 * Headers, as name, value, …, that let a page of that origin see the reply; none where it may not. `preflight`: the
 * browser asks before it sends the request itself.
 */
export function corsHeaders(
  options: CorsOptions | undefined,
  origin: string | undefined,
  preflight: boolean,
): string[] {
  if (options === undefined) return [];
  const { allowedOrigins, allowedHeaders, allowCredentials, maxAgeMs } = options;
  const isOpen = allowedOrigins.includes("*");
  // A cache must not give one origin's answer to another.
  const headers = isOpen ? [] : ["Vary", "Origin"];
  if (origin === undefined || !(isOpen || allowedOrigins.includes(origin))) return headers;
  headers.push("Access-Control-Allow-Origin", isOpen ? "*" : origin);
  if (allowCredentials) headers.push("Access-Control-Allow-Credentials", "true");
  if (!preflight) return [...headers, "Access-Control-Expose-Headers", READ.join(", ")];
  return [
    ...headers,
    ...["Access-Control-Allow-Methods", METHODS],
    ...["Access-Control-Allow-Headers", [...SENT, ...allowedHeaders].join(", ")],
    ...["Access-Control-Max-Age", String(Math.floor(maxAgeMs / 1000))],
  ];
}
