import { execFileSync, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Address of a Docker engine, started if none runs. Throws with the reason where there can be none. */
export function findEngine(): string {
  const found = spawnSync("sh", [join(ROOT, "scripts/docker-engine.sh")], { encoding: "utf8" });
  if (found.status === 0) return found.stdout.trim();
  throw new Error(`no Docker engine can be had: ${found.stderr.trim().split("\n").at(-1)}`);
}

/** Builds the images out of this machine's own binaries, unless they are there already. `fresh`: also then. */
export function buildImages(tag: string, fresh: boolean): void {
  const has = (image: string) => spawnSync("docker", ["image", "inspect", image], { stdio: "ignore" }).status === 0;
  if (!fresh && has(`steppe:${tag}`) && has(`steppe-nats:${tag}`)) return;
  execFileSync("sh", [join(ROOT, "deploy/local-base/build.sh"), tag], { stdio: ["ignore", "ignore", "pipe"] });
}
