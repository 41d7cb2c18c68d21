import { MILLISECOND } from "@steppe/model";
import type { QueryMeta } from "@steppe/proto";

/** Headers of a read as name, value, name, value … */
export function metaHeaders(meta: QueryMeta): string[] {
  const headers = [
    "X-Nomad-Index",
    String(meta.Index),
    "X-Nomad-LastContact",
    String(Math.floor(meta.LastContact / MILLISECOND)),
    "X-Nomad-KnownLeader",
    meta.KnownLeader ? "true" : "false",
  ];
  // Tokens hold IDs, and so any letters: on the wire they are bytes of UTF-8.
  if (meta.NextToken !== "") headers.push("X-Nomad-NextToken", Buffer.from(meta.NextToken).toString("latin1"));
  return headers;
}

/** As fields of a body's object, without the braces. There the API tells the contact in nanoseconds. */
export function metaFields(meta: QueryMeta | undefined): string {
  const { Index = 0, LastContact = 0, KnownLeader = false, NextToken = "" } = meta ?? {};
  return JSON.stringify({ Index, LastContact, KnownLeader, NextToken }).slice(1, -1);
}
