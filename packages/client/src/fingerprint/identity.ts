// Who the node is, over restarts.
import { join } from "node:path";
import type { Random } from "@steppe/model";
import { readIfThere, writeAtomic } from "../durable-files.ts";

export interface NodeCredentials {
  readonly id: string;
  /** Proves to the servers that the agent speaks for the node. */
  readonly secretId: string;
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Read from the state directory; made, and durable there, the first time. */
export function nodeCredentials(stateDir: string, random: Random): NodeCredentials {
  return { id: keptId(join(stateDir, "client-id"), random), secretId: keptId(join(stateDir, "secret-id"), random) };
}

function keptId(path: string, random: Random): string {
  const kept = readIfThere(path)?.trim();
  if (kept !== undefined) {
    if (!ID.test(kept)) throw new Error(`${path} does not hold an id; remove it to have the node get a new one`);
    return kept;
  }
  const id = random.id();
  writeAtomic(path, id, { sync: true });
  return id;
}
