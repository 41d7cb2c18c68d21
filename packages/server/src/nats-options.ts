import { readFile } from "node:fs/promises";
import type { NatsConnectOptions } from "@steppe/log";
import type { NatsConfig } from "./config/index.ts";

type Credentials = Omit<NatsConnectOptions, "name" | "clock" | "logger">;

/** How to reach a region's NATS, with the files that the configuration names read in. */
export async function natsOptions({ servers, auth, tls }: NatsConfig): Promise<Credentials> {
  return {
    servers,
    ...(auth.kind === "password" && { user: auth.user, password: auth.password }),
    ...(auth.kind === "token" && { token: auth.token }),
    ...(auth.kind === "credentials" && { credentials: await readFile(auth.file) }),
    ...(tls !== undefined && { tls }),
  };
}
