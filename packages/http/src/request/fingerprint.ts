import { createHash } from "node:crypto";
import type { Params } from "./params.ts";

/** Parameters that say by which way and in which form, not what: a retry by another way is the same request. */
const OF_THE_WAY: ReadonlySet<string> = new Set(["region", "pretty"]);

/** 128 bits of SHA-256 over what a write asks for. PUT and POST are one method. */
export function fingerprintOf(target: string, params: Params, body: Buffer | undefined): string {
  const names = Object.keys(params).filter((name) => !OF_THE_WAY.has(name));
  const query = names.sort().map((name) => [name, params[name]]);
  const hash = createHash("sha256").update(JSON.stringify([target.replace(/^POST /, "PUT "), query]));
  return hash
    .update(body ?? "")
    .digest("hex")
    .slice(0, 32);
}
