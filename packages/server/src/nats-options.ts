import type { NatsOptions } from "@steppe/log/nats";
import type { NatsConfig, NatsTlsConfig } from "./config/index.ts";

type Credentials = Omit<NatsOptions, "name" | "logger">;

/** How to reach a region's NATS. */
export function natsOptions({ servers, auth, tls }: NatsConfig): Credentials {
  return {
    servers,
    ...(auth.kind === "password" && { user: auth.user, pass: auth.password }),
    ...(auth.kind === "token" && { token: auth.token }),
    ...(auth.kind === "credentials" && { creds: auth.file }),
    ...(tls !== undefined && { tls: tlsFiles(tls) }),
  };
}

/** Files that are not named are left out: an undefined one would count as given. */
function tlsFiles({ caFile, certFile, keyFile }: NatsTlsConfig) {
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}
