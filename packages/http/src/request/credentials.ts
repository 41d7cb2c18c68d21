import type { IncomingHttpHeaders } from "node:http";
import { SteppeError } from "@steppe/model";

/** The secret of `X-Nomad-Token`, else of `Authorization: Bearer`; empty when there is none. */
export function authToken(headers: IncomingHttpHeaders): string {
  const token = headers["x-nomad-token"];
  if (typeof token === "string" && token !== "") return token.trim();
  const authorization = headers.authorization;
  if (authorization === undefined) return "";
  return /^bearer\s+(\S+)/i.exec(authorization)?.[1] ?? "";
}

/** The client's own name for a write, which makes its repeats one write; empty when there is none. */
export function requestId(headers: IncomingHttpHeaders): string {
  const key = headers["idempotency-key"];
  if (key === undefined) return "";
  if (typeof key === "string" && /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new SteppeError("invalid", "Idempotency-Key must be 1 to 255 printable ASCII characters");
}
