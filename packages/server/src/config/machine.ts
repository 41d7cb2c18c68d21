import { hostname, networkInterfaces } from "node:os";
import type { Machine } from "./compile.ts";

/** The machine this process runs on. */
export function readMachine(): Machine {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return { hostname: hostname(), interfaces };
}
